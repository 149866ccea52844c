import { type EndpointId, type Mac, macFromBytes, type NetworkId, networkNamespace, type Vni } from '@causeway/model';
import type { NetnsPath } from '../state.ts';

/** Links of an overlay namespace. */
export const bridgeName = 'br0';
export const vxlanName = 'vxlan0';

/** Where a network's namespace is mounted on every host that has an endpoint of it. */
export function overlayNetns(network: NetworkId): NetnsPath {
  return `/run/netns/${networkNamespace(network)}` as NetnsPath;
}

/** Name of the end of an endpoint's veth pair that is a port of br0. */
export function hostEnd(endpoint: EndpointId): string {
  return `v${endpoint.slice(0, 12)}`;
}

/*
 * MACs of links that never send a frame of their own: fixed, because a link without a MAC of its choosing gets a random
 * one, and a bridge's follows its ports'. Locally administered, and apart from macForIp's 02:42 and 02:43.
 */

export function vxlanMac(vni: Vni): Mac {
  return macFromBytes(Uint8Array.of(0x02, 0x44, 0, vni >> 16, vni >> 8, vni));
}

/** Of a bridge without a gateway to answer for. */
export function bridgeMac(vni: Vni): Mac {
  return macFromBytes(Uint8Array.of(0x02, 0x45, 0, vni >> 16, vni >> 8, vni));
}

export function hostEndMac(endpoint: EndpointId): Mac {
  const bytes = [0, 2, 4, 6].map((at) => Number.parseInt(endpoint.slice(at, at + 2), 16));
  return macFromBytes(Uint8Array.of(0x02, 0x46, ...bytes));
}
