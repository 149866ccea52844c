/** Text that needs no quotes in "key=value": printable ASCII without space, quote, backslash and "=". */
const plain = /^[\x21\x23-\x3c\x3e-\x5b\x5d-\x7e]+$/;

/**
 * Characters that must not reach a terminal unchanged: control characters, line separators, marks that change the
 * direction of text.
 */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * Converts a JSON log line into a line for people: "2026-11-26T15:04:05.123Z WARN  disk.slow took=3". Every value is on
 * one line and without control characters, whatever was logged.
 */
export function formatLogText(json: string): string {
  const { time, level, event, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const words = Object.entries(fields).map(([key, value]) => `${key}=${formatValue(value)}`);
  return [String(time), String(level).toUpperCase().padEnd(5), printable(String(event)), ...words].join(' ');
}

function formatValue(value: unknown): string {
  if (typeof value === 'string' && plain.test(value)) return value;
  return printable(JSON.stringify(value));
}

function printable(text: string): string {
  return text.replaceAll(unprintable, (found) => `\\u${found.codePointAt(0)?.toString(16).padStart(4, '0')}`);
}

/** sd-daemon(3): prefixes that journald removes from a line and keeps as its priority. */
const priorities: Readonly<Record<string, string>> = { error: '<3>', warn: '<4>', info: '<6>', debug: '<7>' };

export function journalPriority(level: string): string {
  return priorities[level] ?? '';
}
