import { formatTime } from '@causeway/identity';
import { CausewayError, type NodeId } from '@causeway/model';
import type { View } from '../store/view.ts';

type Members = Pick<View, 'records'>;

/**
 * Whether the host with this id was removed and has not joined again under it. A host that joined again has a certificate; its
 * record of removal then is about its earlier certificates only.
 */
export function isRemoved(view: Members, id: NodeId): boolean {
  const member = { role: 'agent', id } as const;
  return view.records('removed').get(member) !== undefined && view.records('certificate').get(member) === undefined;
}

/** The refusal of a host that was removed, for its sessions and calls. @throws CausewayError node-removed */
export function checkNotRemoved(view: Members, id: NodeId): void {
  if (isRemoved(view, id)) throw removedHost(view, id);
}

export function removedHost(view: Members, id: NodeId): CausewayError {
  const removal = view.records('removed').get({ role: 'agent', id })?.value;
  const when = removal === undefined ? '' : ` on ${formatTime(removal.at)} (${removal.reason})`;
  const message = `this host (${id}) was removed from the cluster${when}; to come back, reset it with "causeway leave", then join again with a new token`;
  return new CausewayError('node-removed', message, { node: id });
}
