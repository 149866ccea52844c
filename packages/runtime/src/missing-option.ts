/** A setting that the command line or the environment gives. */
export interface SettingOption {
  /** "--name <name>" */
  readonly flags: string;
  /** Variable of the environment that gives the same; undefined: none does. */
  readonly envVar?: string | undefined;
}

/** Commander's words for a setting that is missing, as one that also names the variable; any other text as it is. */
export function explainMissingOption(text: string, options: readonly SettingOption[]): string {
  return text.replace(/required option '(.*)' not specified/, (whole, flags: string) => {
    const option = options.find((candidate) => candidate.flags === flags);
    return option?.envVar === undefined ? whole : `${flags.split(' ')[0]} (or ${option.envVar}) is missing`;
  });
}
