import { formatPeer } from '@causeway/identity';
import { CausewayError } from '@causeway/model';
import { certificateRenewed } from '../events/describe.ts';
import type { Compare } from '../store/store.ts';
import type { Versioned } from '../store/view.ts';
import { nothingToDo, type Planning, type Proposal, type Request } from './intent.ts';
import {
  checkLater,
  type Granted,
  grantedOf,
  grantedOutcome,
  type Issued,
  type Member,
  recordIssued,
} from './issued.ts';
import { removalOf } from './removed-node.ts';

/**
 * Writes a new certificate of a member. `request`: SHA-256 of the certificate request: a retry has the same.
 * @throws from its plan: node-removed, busy
 */
export function renewCertificate(to: Member, issued: Issued, request: string): Request<Granted> {
  return {
    kind: 'certificate.renew',
    content: JSON.stringify({ to: formatPeer(to), request }),
    outcome: grantedOutcome,
    lane: `certificate ${formatPeer(to)}`,
    plan: (planning) => planRenew(to, issued, planning),
  };
}

function planRenew(to: Member, made: Issued, planning: Planning): Proposal<Granted> {
  const { view, keys } = planning;
  const present = view.records('certificate').get(to)?.value;
  const removal = view.records('removed').get(to);
  checkNotRemoved(to, planning);
  const name = present?.name ?? to.id;
  const { issued, compares, writes } = recordIssued(made, to, name, planning);
  checkLater(issued, view);
  return {
    ...nothingToDo(grantedOf(issued)),
    // A member without a record is known from before a restore. A removal deletes the record and writes the other.
    compares: [...compares, ...(present === undefined ? [unchanged(keys.removed(to.role, to.id), removal)] : [])],
    writes,
    events: [certificateRenewed(to, name, issued.certificate.notAfter)],
  };
}

function checkNotRemoved(to: Member, { view }: Pick<Planning, 'view'>): void {
  const removal = removalOf(view, to);
  if (removal === undefined) return;
  const message = `${formatPeer(to)} was removed from the cluster (${removal.reason}); to come back, it must join again with a new token`;
  throw new CausewayError('node-removed', message, { peer: formatPeer(to) });
}

function unchanged(key: string, known: Versioned<unknown> | undefined): Compare {
  return known === undefined ? { kind: 'absent', key } : { kind: 'unchanged', key, modRevision: known.revision };
}
