import { type EndpointId, type Mac, macFromBytes, type NetworkId, networkNamespace, type Vni } from '@causeway/model';
import type { NetnsPath } from '../state.ts';

/** Links of an overlay namespace. */
export const bridgeName = 'br0';
/** The tunnel of packets outside ESP. */
export const vxlanName = 'vxlan0';
/** The tunnel of packets inside ESP, on a port of its own. A network that changes has both. */
export const espVxlanName = 'vxlan1';

/** The path of a network's namespace, on every host that has an endpoint of the network. */
export function overlayNetns(network: NetworkId): NetnsPath {
  return `/run/netns/${networkNamespace(network)}` as NetnsPath;
}

/** Name of the host's end of an endpoint's veth pair: a port of br0. */
export function hostEnd(endpoint: EndpointId): string {
  return `v${endpoint.slice(0, 12)}`;
}

/*
 * Fixed MACs for links that never send a frame of their own. Without a chosen MAC a link gets a random one, and the MAC of
 * a bridge follows its ports. These are locally administered and differ from the prefixes 02:42 and 02:43 of macForIp.
 */

export function vxlanMac(vni: Vni): Mac {
  return macFromBytes(Uint8Array.of(0x02, 0x44, 0, vni >> 16, vni >> 8, vni));
}

/** MAC of a bridge that has no gateway address. */
export function bridgeMac(vni: Vni): Mac {
  return macFromBytes(Uint8Array.of(0x02, 0x45, 0, vni >> 16, vni >> 8, vni));
}

export function hostEndMac(endpoint: EndpointId): Mac {
  const bytes = [0, 2, 4, 6].map((at) => Number.parseInt(endpoint.slice(at, at + 2), 16));
  return macFromBytes(Uint8Array.of(0x02, 0x46, ...bytes));
}
