const day = 86_400_000;

/** ISO 8601 in UTC, to the millisecond: "2026-11-24T15:57:03.120Z". */
export function isoTime(unixMilliseconds: bigint | number): string {
  const time = Number(unixMilliseconds);
  const days = Math.floor(time / day);
  const rest = time - days * day;
  const { year, month, dayOfMonth } = civil(days);
  const clock = [rest / 3_600_000, (rest / 60_000) % 60, (rest / 1_000) % 60].map((part) => pad(Math.floor(part), 2));
  return `${pad(year, 4)}-${pad(month, 2)}-${pad(dayOfMonth, 2)}T${clock.join(':')}.${pad(rest % 1_000, 3)}Z`;
}

/** For json; null: unknown. */
export function timeValue(unixMilliseconds: bigint): string | null {
  return unixMilliseconds === 0n ? null : isoTime(unixMilliseconds);
}

/** For a column: "3h12m"; empty: unknown. */
export function ageCell(createdAtMs: bigint, now: number): string {
  return createdAtMs === 0n ? '' : formatSpan(now - Number(createdAtMs));
}

/** For a sheet: "2026-11-24T15:57:03.120Z, 3h12m ago"; empty: unknown. */
export function createdCell(createdAtMs: bigint, now: number): string {
  return createdAtMs === 0n ? '' : `${isoTime(createdAtMs)}, ${ageCell(createdAtMs, now)} ago`;
}

/** A span for people, with at most two units: "250ms", "1.5s", "12s", "3m12s", "2h5m", "4d3h". */
export function formatSpan(milliseconds: number): string {
  const ms = Math.max(0, milliseconds);
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  if (ms < 10_000) return `${Math.floor(ms / 100) / 10}s`;
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return twoUnits(seconds, 60, 'm', 's');
  if (seconds < 86_400) return twoUnits(Math.floor(seconds / 60), 60, 'h', 'm');
  return twoUnits(Math.floor(seconds / 3_600), 24, 'd', 'h');
}

function twoUnits(count: number, ratio: number, large: string, small: string): string {
  const rest = count % ratio;
  return `${Math.floor(count / ratio)}${large}${rest === 0 ? '' : `${rest}${small}`}`;
}

/**
 * Converts days since 1970-01-01 to a Gregorian date. Its years begin in March, so that the leap day comes last (H.
 * Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days; 719,468 days lie before 1970-01-01).
 */
function civil(days: number): { year: number; month: number; dayOfMonth: number } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const dayOfMonth = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfMonth };
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0');
}
