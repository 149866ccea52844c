import { CausewayError, type Name } from '@causeway/model';
import { operatorRevoked } from '../events/describe.ts';
import { expel } from './expel.ts';
import { noOutcome, nothingToDo, type Planning, type Proposal, type Request } from './intent.ts';
import { revocationsOf } from './tokens.ts';

/** Also revokes tokens that the operator has created; `revokeTokensOf` revokes the rest. @throws from its plan: operator-unknown */
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
  const out = expel(operator, `the operator ${id} was revoked`, planning);
  const tokens = revocationsOf(id, planning);
  return {
    ...nothingToDo(undefined),
    compares: [...out.compares, ...tokens.compares],
    writes: [...out.writes, ...tokens.writes],
    events: [operatorRevoked(id)],
  };
}
