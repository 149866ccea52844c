import { formatTime } from '@causeway/identity';
import { CausewayError, type NodeId } from '@causeway/model';
import type { Removal } from '../store/records/removal.ts';
import type { View } from '../store/view.ts';
import type { Member } from './issued.ts';

type Members = Pick<View, 'records'>;

/** Whether the host with this id was removed and has not joined again under it. */
export function isRemoved(view: Members, id: NodeId): boolean {
  return removalOf(view, { role: 'agent', id }) !== undefined;
}

/**
 * The removal of a member that has not joined again. A member that has joined again has a certificate, unless a restore has lost the
 * record; its record of removal is about its earlier certificates only.
 */
export function removalOf(view: Members, member: Member): Removal | undefined {
  const removal = view.records('removed').get(member)?.value;
  const isBack = removal?.hasJoined === true || view.records('certificate').get(member) !== undefined;
  return isBack ? undefined : removal;
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
