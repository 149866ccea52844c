import { parseVariables } from '../host-settings.ts';

/** Settings of a service of this host, by their variables. */
export type Variables = Readonly<Record<string, string>>;

/**
 * The text of a settings file with these values. What else is in the file stays. A setting that is there in a comment, as the
 * package brings it, is set in its place.
 */
export function withVariables(text: string, values: Variables): string {
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  const missing = Object.entries(values).filter(([name, value]) => parseVariables(text)[name] !== value);
  for (const [name, value] of missing) {
    const at = lines.findLastIndex((line) => isSetting(line, name));
    const instead = at >= 0 ? at : lines.findIndex((line) => isSetting(line.replace(/^#\s*/, ''), name));
    lines.splice(instead >= 0 ? instead : lines.length, instead >= 0 ? 1 : 0, `${name}=${value}`);
  }
  return lines.map((line) => `${line}\n`).join('');
}

/** The same text, with these settings in comments. */
export function withoutVariables(text: string, names: readonly string[]): string {
  return text
    .split('\n')
    .map((line) => (names.some((name) => isSetting(line, name)) ? `#${line.trimStart()}` : line))
    .join('\n');
}

/** systemd takes the last of several lines for the same setting. */
function isSetting(line: string, name: string): boolean {
  return line.trimStart().startsWith(`${name}=`);
}
