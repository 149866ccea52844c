import type { Announcement, Failure, NewAddress } from '@causeway/datapath';
import { family, type Ip, type Mac, type NetworkId } from '@causeway/model';
import type { Waiting } from './backlog.ts';

/**
 * ms between the programming of a new address on this host and the announcement. Containers send what waited for the address as
 * soon as they hear the announcement, and a packet that arrives too early is lost.
 */
export const delays = {
  /** The peer's own host programs its container at about the same time as this host its entries, often a little later. */
  peer: 40,
  /** The container has the address. */
  own4: 0,
  /** After the address was added, a worker of the kernel makes it ready (addrconf_dad_work). */
  own6: 20,
} as const;

/** New addresses of a network, whose entries the kernel has. */
export interface NewAddresses {
  readonly networkId: NetworkId;
  readonly addresses: readonly NewAddress[];
  /** The MACs of the network's containers on this host. */
  readonly own: readonly Mac[];
}

/**
 * The announcements of new addresses to the containers of this host. A container must not get the announcement of its own IPv6
 * address, because its kernel would warn of a duplicate. The announcement of its own IPv4 address does no harm: Linux ignores the
 * frame, and RFC 5227 §2.4 sees no conflict, because the MAC is the container's own.
 */
export function announcementsOf({ networkId, addresses, own }: NewAddresses, now: number): readonly Waiting[] {
  return addresses.flatMap(({ ip, mac, isOwn }): Waiting[] => {
    const others = isOwn ? own.filter((each) => each !== mac) : own;
    if (others.length === 0) return [];
    const to: Announcement['to'] = isOwn && family(ip) === 6 ? others : 'all';
    return [{ networkId, announcement: { ip, mac, to }, receivers: others.length, due: now + delayOf(ip, isOwn) }];
  });
}

function delayOf(ip: Ip, isOwn: boolean): number {
  if (!isOwn) return delays.peer;
  return family(ip) === 4 ? delays.own4 : delays.own6;
}

/** Leaves out addresses whose entries the kernel has refused. */
export function reachable(addresses: readonly NewAddress[], refused: readonly Failure[]): readonly NewAddress[] {
  const missing = new Set<string>();
  for (const { op } of refused) {
    if (op.op === 'neighbour.set') missing.add(op.ip);
    else if (op.op === 'fdb.set') missing.add(op.mac);
  }
  return addresses.filter(({ ip, mac }) => !missing.has(ip) && !missing.has(mac));
}
