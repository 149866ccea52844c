import type { NodeId } from '@causeway/model';
import { type Duration, seconds } from '@causeway/runtime';
import type { RotatingHost } from '../plan/rotate-keys.ts';
import type { KeyRotation } from '../store/records/key-rotation.ts';
import type { HostReports } from './host-reports.ts';

/** Hosts that change at a time. Each change makes every peer of the host add SAs, some tens of microseconds each. */
export const mostAtOnce = 8;

/** A host that takes longer is waited for, but does not hold up the others: its kernel or a peer of it has a problem. */
export const patience: Duration = seconds(30);

/** A request may be lost with its session. A repeated request does no harm. */
export const askAgainAfter: Duration = seconds(5);

/** When a host was first and last asked for a new key, ms on the monotonic clock. */
export interface Asked {
  readonly first: number;
  readonly last: number;
}

/** Which hosts are to be asked for a new key now. `asked`: those that were asked before. */
export function hostsToAsk(
  { atOnce }: Pick<KeyRotation, 'atOnce'>,
  hosts: readonly RotatingHost[],
  asked: ReadonlyMap<NodeId, Asked>,
  reports: Pick<HostReports, 'silentSince' | 'usersOfKeys'>,
  now: number,
): readonly RotatingHost[] {
  const isSilent = (node: NodeId): boolean => reports.silentSince(node) !== undefined;
  /** Nothing but hosts without a session holds up the change. */
  const isHeldUp = ({ node, former, state }: RotatingHost): boolean => {
    if (isSilent(node)) return true;
    const users = state === 'changing' ? reports.usersOfKeys(node, former) : [];
    return users.length > 0 && users.every(isSilent);
  };
  const isUnderWay = (host: RotatingHost): boolean => {
    const before = asked.get(host.node);
    if (host.state === 'rotated' || (before === undefined && host.state === 'former')) return false;
    return (before === undefined || now - before.first < patience) && !isHeldUp(host);
  };
  const willing = hosts.filter(({ node, state }) => state === 'former' && !isSilent(node));
  const again = willing.filter(({ node }) => now - (asked.get(node)?.last ?? now) >= askAgainAfter);
  const next = willing.filter(({ node }) => !asked.has(node));
  const room = atOnce ? next.length : Math.max(0, mostAtOnce - hosts.filter(isUnderWay).length);
  return [...again, ...next.slice(0, room)];
}
