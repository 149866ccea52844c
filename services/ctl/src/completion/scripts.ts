export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/**
 * Each script calls the hidden command `causeway __complete -- WORD…`. It prints one candidate per line, "word<TAB>help",
 * or ":files" where the shell completes file names.
 */
export const scripts: Readonly<Record<Shell, string>> = {
  bash: `# causeway completion for bash: source <(causeway completion bash)
_causeway() {
  # COMP_WORDS is split at ":" and "=", which our values contain: split the line itself.
  local typed=\${COMP_LINE:0:COMP_POINT} words line
  read -ra words <<<"$typed"
  [[ $typed == *[[:space:]] ]] && words+=('')
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      compopt -o default 2>/dev/null
    else
      COMPREPLY+=("\${line%%$'\\t'*}")
    fi
  done < <(causeway __complete -- "\${words[@]:1}" 2>/dev/null)
}
complete -F _causeway causeway
`,
  zsh: `#compdef causeway
# causeway completion for zsh: source <(causeway completion zsh)
_causeway() {
  local -a described
  local line
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      _files
      return
    fi
    described+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done < <(causeway __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  _describe causeway described
}
compdef _causeway causeway
`,
  fish: `# causeway completion for fish: causeway completion fish | source
function __causeway_complete
    set -l words (commandline --cut-at-cursor --current-process --tokenize)
    set -e words[1]
    set -l current (commandline --cut-at-cursor --current-token)
    for line in (causeway __complete -- $words "$current" 2>/dev/null)
        if test "$line" = :files
            __fish_complete_path "$current"
        else
            echo $line
        end
    end
end
complete --command causeway --no-files --arguments '(__causeway_complete)'
`,
};
