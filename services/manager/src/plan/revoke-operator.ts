import { CausewayError, type Name } from '@causeway/model';
import { operatorRevoked } from '../events/describe.ts';
import { expel } from './expel.ts';
import { noOutcome, nothingToDo, type Planning, type Proposal, type Request } from './intent.ts';

/** @throws from its plan: operator-unknown */
export function revokeOperator(name: Name): Request<void> {
  return {
    kind: 'operator.revoke',
    content: JSON.stringify({ name }),
    outcome: noOutcome,
    plan: (planning) => planRevokeOperator(name, planning),
  };
}

function planRevokeOperator(id: Name, planning: Planning): Proposal<void> {
  const operator = { role: 'operator', id } as const;
  const { view } = planning;
  if (view.records('certificate').get(operator) === undefined) {
    const message = `there is no operator "${id}"; "causeway ca show" lists the certificates`;
    throw new CausewayError('operator-unknown', message, { field: 'name', value: id });
  }
  return {
    ...nothingToDo(undefined),
    ...expel(operator, `the operator ${id} was revoked`, planning),
    events: [operatorRevoked(id)],
  };
}
