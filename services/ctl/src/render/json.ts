/**
 * As JSON.stringify, but a bigint is a number of as many digits as it has: a field has one type whatever its size. Readers
 * that keep numbers as doubles round those beyond 2^53; which no revision reaches at a million changes a second for 285 years.
 */
export function renderJson(value: unknown, indent = ''): string {
  return write(value, indent, '') ?? 'null';
}

/** Undefined: nothing that JSON has. */
function write(value: unknown, indent: string, margin: string): string | undefined {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = margin + indent;
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  const members = Array.isArray(value)
    ? value.map((member) => write(member, indent, inner) ?? 'null')
    : Object.entries(value).flatMap(([key, member]) => {
        const text = write(member, indent, inner);
        return text === undefined ? [] : [`${JSON.stringify(key)}:${indent === '' ? '' : ' '}${text}`];
      });
  if (members.length === 0) return `${open}${close}`;
  if (indent === '') return `${open}${members.join(',')}${close}`;
  return `${open}\n${members.map((member) => inner + member).join(',\n')}\n${margin}${close}`;
}
