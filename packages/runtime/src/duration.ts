declare const unit: unique symbol;

/** A span of time in milliseconds; the unit is in the type, so names need not carry it. */
export type Duration = number & { readonly [unit]: 'milliseconds' };

export function milliseconds(count: number): Duration {
  return count as Duration;
}

export function seconds(count: number): Duration {
  return (count * 1_000) as Duration;
}

export function minutes(count: number): Duration {
  return (count * 60_000) as Duration;
}

const scale = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** "250ms", "5s", "1.5m", "2h"; undefined: the text is no duration. */
export function parseDuration(text: string): Duration | undefined {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(text);
  if (match === null) return undefined;
  return milliseconds(Number(match[1]) * scale[match[2] as keyof typeof scale]);
}

/** "24h", "90s": in the largest unit of which the span is a whole number. */
export function formatDuration(span: Duration): string {
  const units = Object.entries(scale).reverse();
  const [unit, size] = units.find(([, length]) => span % length === 0) ?? ['ms', 1];
  return span === 0 ? '0s' : `${span / size}${unit}`;
}
