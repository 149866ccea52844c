import { CausewayError, clip } from '@causeway/model';
import { parseDuration } from '@causeway/runtime';

/** A point in time as the user gives it: a span before now, or a date with a time. */
export type Moment =
  | { readonly kind: 'ago'; readonly span: number }
  /** Unix time, milliseconds. */
  | { readonly kind: 'at'; readonly time: number };

/** Reads a span, or a time in the format of RFC 3339. */
export function parseMoment(field: string) {
  return (text: string): Moment => {
    const span = parseDuration(text);
    if (span !== undefined) return { kind: 'ago', span };
    const time = parseTime(text);
    if (time !== undefined) return { kind: 'at', time };
    const message = `${field}: "${clip(text)}" is neither a span such as 2h nor a time such as 2026-11-24T15:57:03Z`;
    throw new CausewayError('invalid-argument', message, { field, value: clip(text) });
  };
}

export function unixTime(moment: Moment, now: number): number {
  return Math.max(1, Math.trunc(moment.kind === 'at' ? moment.time : now - moment.span));
}

/** RFC 3339 §5.6, date and time with zone. */
const pattern = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

function parseTime(text: string): number | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  const [, , , , , , , fraction = '0', sign, zoneHours = '0', zoneMinutes = '0'] = match;
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  const zone = (Number(zoneHours) * 60 + Number(zoneMinutes)) * (sign === '-' ? -60_000 : 60_000);
  const ofDay = ((hour * 60 + minute) * 60 + second) * 1_000 + Math.floor(Number(`0.${fraction}`) * 1_000);
  return daysFrom(year, month, day) * 86_400_000 + ofDay - zone;
}

function daysIn(year: number, month: number): number {
  const next = month === 12 ? daysFrom(year + 1, 1, 1) : daysFrom(year, month + 1, 1);
  return next - daysFrom(year, month, 1);
}

/** Days since 1970-01-01, by years that begin in March (H. Hinnant, days_from_civil; render/time.ts is the way back). */
function daysFrom(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}
