/** 2026-11-27T00:52:00Z. Pure: the time is an argument. */
export function formatTime(unixMs: number): string {
  // biome-ignore lint/style/noRestrictedGlobals: prints a given time; the clock is not read
  return new Date(unixMs).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Milliseconds since the epoch of a time as node:crypto prints it: "Nov 27 00:52:00 2026 GMT". NaN: it is no time. */
export function parseOpensslTime(text: string): number {
  // biome-ignore lint/style/noRestrictedGlobals: reads a given time; the clock is not read
  return Date.parse(text);
}

/** "40 seconds", "50 minutes", "3 hours", "12 days": what a person needs to know of a span. */
export function roughly(span: number): string {
  const units = [
    ['day', 86_400_000],
    ['hour', 3_600_000],
    ['minute', 60_000],
    ['second', 1_000],
  ] as const;
  const [unit, size] = units.find(([, length]) => span >= 2 * length) ?? ['second', 1_000];
  const count = Math.max(1, Math.round(span / size));
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
