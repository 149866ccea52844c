import { addressOf, type Ip, type Mac } from '@causeway/model';
import { peerOf } from '../kinds/link/link.ts';
import { type Sliced, sliceSize } from '../sliced.ts';
import type { NetnsPath, State } from '../state.ts';

/** An address that did not exist before, or had another MAC. */
export interface NewAddress {
  readonly ip: Ip;
  readonly mac: Mac;
  /** The container with the address is on this host. */
  readonly isOwn: boolean;
}

/**
 * The addresses that are new in the second of two states of a network. Both states may be parts, as long as they are the
 * same part. `netns`: the network's namespace.
 */
export function* newAddresses(before: State, after: State, netns: NetnsPath): Sliced<NewAddress[]> {
  const found: NewAddress[] = [];
  let seen = 0;
  for (const [dev, entries] of after.get(netns)?.neighbours ?? []) {
    const known = before.get(netns)?.neighbours.get(dev);
    for (const [ip, mac] of entries) {
      if (known?.get(ip) !== mac) found.push({ ip, mac, isOwn: false });
      if (++seen % sliceSize === 0) yield;
    }
  }
  const known = containers(before, netns);
  for (const [ip, mac] of containers(after, netns)) if (known.get(ip) !== mac) found.push({ ip, mac, isOwn: true });
  return found;
}

/** The addresses of the containers whose pairs begin in the network's namespace, with their MACs. */
function containers(state: State, netns: NetnsPath): Map<Ip, Mac> {
  const addresses = new Map<Ip, Mac>();
  for (const link of state.get(netns)?.links.values() ?? []) {
    const peer = peerOf(link);
    if (peer === undefined) continue;
    for (const address of state.get(peer.netns)?.addresses.get(peer.name) ?? []) {
      addresses.set(addressOf(address), peer.mac);
    }
  }
  return addresses;
}
