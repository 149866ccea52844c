import {
  addressOf,
  contains,
  type EndpointRow,
  type Family,
  familyOf,
  minimumMtu,
  type Network,
  Prefix,
} from '@causeway/model';
import { type Draft, newNamespace } from '../draft.ts';
import { interfaceSysctl, type NetnsPath } from '../state.ts';
import { routeMetric } from './gateway.ts';
import { bridgeName, hostEnd, hostEndMac, overlayNetns } from './names.ts';
import type { Sandbox } from './overlay.ts';

const everything: Record<Family, Prefix> = { 4: Prefix('0.0.0.0/0'), 6: Prefix('::/0') };

/** An endpoint of this host: its pair of links, and what is in the container's namespace. */
export function addContainer(state: Map<NetnsPath, Draft>, network: Network, sandbox: Sandbox, row: EndpointRow): void {
  const container = state.get(sandbox.netns) ?? newNamespace();
  state.set(sandbox.netns, container);
  addPair(namespaceOf(state, network), container, network.mtu.bytes, sandbox, row);
  container.addresses.set(sandbox.ifname, new Set(row.addresses));
  addRoutes(container, network, sandbox, row);
  // A neighbour on the overlay must not become the container's router. Below the minimum MTU there is no IPv6.
  if (network.mtu.bytes >= minimumMtu) container.sysctls.set(interfaceSysctl('ipv6', sandbox.ifname, 'accept_ra'), '0');
}

function addPair(
  overlay: Draft,
  container: Draft,
  mtu: number,
  { netns, ifname, endpoint }: Sandbox,
  { mac }: EndpointRow,
): void {
  const name = hostEnd(endpoint);
  overlay.links.set(name, {
    kind: 'veth',
    name,
    mac: hostEndMac(endpoint),
    mtu,
    up: true,
    bridgePort: { master: bridgeName, learning: false, flood: false },
    peer: { netns, name: ifname, mac, mtu },
  });
  // The port neither learns nor gets what is unknown, so this entry is the one way to the container, and to no other.
  overlay.fdb.set(name, new Map([[mac, 'port']]));
  container.links.set(ifname, { kind: 'veth', name: ifname, mac, mtu, up: true });
}

/** Of several interfaces on one network the first provides the way out: see `buildNetwork` for their order. */
function addRoutes(container: Draft, network: Network, { ifname: dev, gateway }: Sandbox, row: EndpointRow): void {
  for (const address of row.addresses) {
    const subnet = network.subnets.find(({ prefix }) => contains(prefix, addressOf(address)));
    const dst = everything[familyOf(address)];
    if (subnet?.gateway === undefined || container.routes.has(dst)) continue;
    container.routes.set(dst, { dst, gateway: subnet.gateway, dev, metric: routeMetric(gateway) });
  }
}

function namespaceOf(state: Map<NetnsPath, Draft>, network: Network): Draft {
  const overlay = state.get(overlayNetns(network.id));
  if (overlay === undefined) throw new TypeError('an overlay is built before its containers');
  return overlay;
}
