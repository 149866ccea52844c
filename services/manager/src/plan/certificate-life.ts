import { CausewayError } from '@causeway/model';
import type { Duration } from '@causeway/runtime';
import { certificateLifeChanged } from '../events/describe.ts';
import { records } from '../store/records/index.ts';
import { noOutcome, nothingToDo, type Planning, type Proposal, type Request } from './intent.ts';

/** Certificates that are issued from now on are valid for that long. @throws from its plan: capability-missing */
export function setCertificateLife(life: Duration): Request<void> {
  return {
    kind: 'ca.life',
    content: JSON.stringify({ life }),
    outcome: noOutcome,
    lane: 'ca',
    plan: (planning) => planLife(life, planning),
  };
}

function planLife(life: Duration, { view, keys }: Planning): Proposal<void> {
  const { ca } = view;
  if (ca === undefined) throw new CausewayError('capability-missing', 'this cluster was founded without a CA');
  if (ca.value.life === life) return nothingToDo(undefined, ca.revision);
  return {
    ...nothingToDo(undefined),
    compares: [{ kind: 'unchanged', key: keys.ca, modRevision: ca.revision }],
    writes: [{ kind: 'put', key: keys.ca, value: records.ca.codec.encode({ ...ca.value, life }, ca.original) }],
    events: [certificateLifeChanged(life)],
  };
}
