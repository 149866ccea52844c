import type { Condition } from '@causeway/proto/gen/causeway/v1/types.js';
import type { Cell } from '../answer.ts';

export function conditionValues(conditions: readonly Condition[]): object[] {
  return conditions.map(({ type, status, reason, message, sinceRevision }) => {
    return { type, status, reason, message, sinceRevision };
  });
}

/** For a column: "ok", or what is not as it should be, "Programmed=false Degraded=true". */
export function conditionsCell(conditions: readonly Condition[]): Cell {
  const wrong = conditions.filter((condition) => !isGood(condition));
  if (conditions.length === 0) return '';
  if (wrong.length === 0) return { text: 'ok', tone: 'good' };
  return { text: wrong.map(({ type, status }) => `${type}=${status}`).join(' '), tone: 'bad' };
}

/** For a sheet, a line each: "true, Drift since revision 42: 1 difference …". */
export function conditionFields(conditions: readonly Condition[]): (readonly [label: string, value: Cell])[] {
  return conditions.map((condition) => {
    const { type, status, reason, message, sinceRevision } = condition;
    const since = sinceRevision === 0n ? '' : ` since revision ${sinceRevision}`;
    const text = `${status}, ${reason}${since}${message === '' ? '' : `: ${message}`}`;
    return [type.toLowerCase(), { text, tone: isGood(condition) ? 'good' : 'bad' }];
  });
}

function isGood({ type, status }: Condition): boolean {
  return status === (type === 'Degraded' ? 'false' : 'true');
}
