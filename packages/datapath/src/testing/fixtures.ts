import {
  addressOf,
  type EndpointId,
  type EndpointRow,
  InterfaceAddress,
  Ip,
  macForIp,
  type Name,
  type Network,
  type NetworkId,
  type NodeId,
  Prefix,
  Vni,
} from '@causeway/model';
import type { NetworkOnHost, Sandbox } from '../drivers/driver.ts';
import type { NetnsPath } from '../state.ts';

/** A small cluster for tests: one network, hosts numbered from 1, endpoints numbered from 2. */
export const me = nodeId(1);

export const blue: Network = {
  id: 'b10e000000000001' as NetworkId,
  name: 'blue' as Name,
  addressSpace: 'default' as Name,
  driver: 'overlay',
  internal: false,
  vni: Vni(4096),
  mtu: { kind: 'automatic', bytes: 1450 },
  subnets: [
    { prefix: Prefix('10.66.0.0/16'), gateway: Ip('10.66.0.1') },
    { prefix: Prefix('fd66::/64'), gateway: Ip('fd66::1') },
  ],
  labels: {},
};

export function nodeId(host: number): NodeId {
  return host.toString(16).padStart(16, '0') as NodeId;
}

/** The VTEP of a host. */
export function vtep(host: number): Ip {
  return Ip(`192.0.2.${host}`);
}

export function endpointId(number: number): EndpointId {
  return number.toString(16).padStart(8, '0').padEnd(16, '0') as EndpointId;
}

/** Endpoint `number` on a host. Default addresses: 10.66.0.NUMBER and fd66::NUMBER. */
export function row(number: number, host: number, addresses?: readonly string[]): EndpointRow {
  const texts = addresses ?? [`10.66.0.${number}/16`, `fd66::${number.toString(16)}/64`];
  const parsed = texts.map((text) => InterfaceAddress(text));
  const first = parsed[0];
  if (first === undefined) throw new TypeError('an endpoint has an address');
  return {
    id: endpointId(number),
    name: `e${number}` as Name,
    node: nodeId(host),
    addresses: parsed,
    mac: macForIp(addressOf(first)),
    vtep: vtep(host),
  };
}

export function containerPath(number: number): NetnsPath {
  return `/run/netns/c${number}` as NetnsPath;
}

export function sandbox(number: number): Sandbox {
  return {
    endpoint: endpointId(number),
    netns: containerPath(number),
    ifname: 'eth0',
    gateway: { priority: 0, slot: 0 },
  };
}

/** The network on a host that has a container for each of its own rows. */
export function onHost(rows: readonly EndpointRow[], over: Partial<NetworkOnHost> = {}): NetworkOnHost {
  const node = over.node ?? me;
  const sandboxes = rows
    .filter((each) => each.node === node)
    .map((each) => sandbox(Number.parseInt(each.id.slice(0, 8), 16)));
  return { network: blue, node, vtep: vtep(1), vxlanPort: 4789, rows, sandboxes, ...over };
}
