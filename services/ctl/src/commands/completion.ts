import { Argument } from 'commander';
import { command } from '../command.ts';
import { type Shell, scripts, shells } from '../completion/scripts.ts';

interface Input {
  readonly shell: Shell;
}

export const completion = command<Input>({
  name: 'completion',
  summary: 'print the completion script of a shell',
  description:
    'It completes names of networks, endpoints, hosts and managers too where the managers are known: by CAUSEWAY_MANAGERS, or\non a host with an agent.',
  arguments: [new Argument('<shell>', 'which shell').choices(shells)],
  uses: [],
  examples: [
    'source <(causeway completion bash)',
    'causeway completion fish > ~/.config/fish/completions/causeway.fish',
  ],
  async run({ input }) {
    const script = scripts[input.shell];
    return {
      value: { shell: input.shell, script },
      names: [input.shell],
      table: { kind: 'script', text: script },
    };
  },
});
