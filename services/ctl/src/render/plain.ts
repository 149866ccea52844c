/** What json and yaml can carry: bigints become numbers where that is exact, else strings. */
export function toPlain(value: unknown): unknown {
  if (typeof value === 'bigint') return isSafe(value) ? Number(value) : String(value);
  if (Array.isArray(value)) return value.map(toPlain);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, toPlain(member)]));
  }
  return value;
}

function isSafe(value: bigint): boolean {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER;
}
