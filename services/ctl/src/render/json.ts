/**
 * Same as JSON.stringify, but a bigint becomes a number with all its digits, so that a field has one type whatever its
 * size. Readers that use doubles round numbers beyond 2^53. At a million changes a second, revisions reach that after 285
 * years.
 */
export function renderJson(value: unknown, indent = ''): string {
  return write(value, indent, '') ?? 'null';
}

/** undefined: JSON cannot represent the value. */
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
