import type { Condition } from '@causeway/proto/gen/causeway/v1/types.js';
import type { Cell } from '../answer.ts';
import { ageCell, timeValue } from './time.ts';

export function conditionValues(conditions: readonly Condition[]): object[] {
  return conditions.map(({ type, status, reason, message, sinceRevision, sinceTimeMs }) => {
    return { type, status, reason, message, sinceRevision, sinceTime: timeValue(sinceTimeMs) };
  });
}

/** For a column: "ok", or the conditions that are not good, "Programmed=false Degraded=true". */
export function conditionsCell(conditions: readonly Condition[]): Cell {
  const wrong = conditions.filter((condition) => !isGood(condition));
  if (conditions.length === 0) return '';
  if (wrong.length === 0) return { text: 'ok', tone: 'good' };
  return { text: wrong.map(({ type, status }) => `${type}=${status}`).join(' '), tone: 'bad' };
}

/** For a sheet, one line for each condition: "true, Drift since revision 42, 2m5s ago: 1 difference …". */
export function conditionFields(
  conditions: readonly Condition[],
  now: number,
): (readonly [label: string, value: Cell])[] {
  return conditions.map((condition) => {
    const { type, status, reason, message } = condition;
    const text = `${status}, ${reason}${sinceText(condition, now)}${message === '' ? '' : `: ${message}`}`;
    return [type.toLowerCase(), { text, tone: isGood(condition) ? 'good' : 'bad' }];
  });
}

/** An unknown time is "-". When the revision is unknown, the text is empty. */
function sinceText({ sinceRevision, sinceTimeMs }: Condition, now: number): string {
  if (sinceRevision === 0n) return '';
  const age = sinceTimeMs === 0n ? '-' : `${ageCell(sinceTimeMs, now)} ago`;
  return ` since revision ${sinceRevision}, ${age}`;
}

function isGood({ type, status }: Condition): boolean {
  return status === (type === 'Degraded' ? 'false' : 'true');
}
