/** A setting that can be given on the command line or in the environment. */
export interface SettingOption {
  /** "--name <name>" */
  readonly flags: string;
  /** Environment variable for the same setting; undefined: none. */
  readonly envVar?: string | undefined;
}

/** Adds the variable's name to commander's message about a missing setting. Other text stays as it is. */
export function explainMissingOption(text: string, options: readonly SettingOption[]): string {
  return text.replace(/required option '(.*)' not specified/, (whole, flags: string) => {
    const option = options.find((candidate) => candidate.flags === flags);
    return option?.envVar === undefined ? whole : `${flags.split(' ')[0]} (or ${option.envVar}) is missing`;
  });
}
