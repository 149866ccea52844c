import { CausewayError } from '@causeway/model';
import type { View } from '../store/view.ts';

/** Why an answer lacks the state of hosts. */
export const noLeader = 'no manager leads, so the state of the hosts is unknown';

/** The refusal of a manager that does not lead. It names the leader to ask; `leader` is empty while no manager leads. */
export function notLeader(view: Pick<View, 'leader'>, self: string): CausewayError {
  const { leader } = view;
  if (leader === undefined || leader.address === self)
    return new CausewayError('not-leader', 'no manager leads at this moment: try again', { leader: '' });
  const message = `this manager does not lead: ask ${leader.name} at ${leader.address}`;
  return new CausewayError('not-leader', message, { leader: leader.address });
}

/** The refusal of a manager that is too old to lead, while no manager leads. */
export function mayOnlyRead({ cluster }: Pick<View, 'cluster'>, known: number): CausewayError {
  const schema = cluster?.schema ?? 0;
  const message = `no manager leads, and this manager may only read: the store has records of schema ${schema}, and this manager knows ${known}; start a newer version`;
  return new CausewayError('not-leader', message, { leader: '', schema, known });
}
