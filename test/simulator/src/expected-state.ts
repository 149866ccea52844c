import { addressesOf, neighboursOf, tunnelsOf } from '@causeway/datapath/testing';
import type { SimHost } from './host.ts';
import type { EndpointRecord, Moment, NetworkRecord } from './records.ts';

/*
 * What a host's kernel holds of a network and what it must hold, one line each. The latter is computed from the store's
 * records alone, in the simplest way, and shares no code with the product: neither digests nor `buildNetwork` nor `plan`.
 */

/** What the host must hold of the network. Empty if the host has no endpoint of the network. */
export function expectedState(
  { networks, endpoints, nodes }: Moment,
  hostName: string,
  networkId: string,
): ReadonlySet<string> {
  const network = networks.get(networkId);
  const host = [...nodes.values()].find(({ name }) => name === hostName);
  const members = [...endpoints.values()].filter((endpoint) => endpoint.network === networkId);
  if (network === undefined || host === undefined || !members.some(({ node }) => node === host.id)) return new Set();
  const lines = [`vxlan0 vni ${network.vni} local ${host.dataPath}`, ...linkLines(network)];
  for (const { node, mac, addresses } of members) {
    const vtep = nodes.get(node)?.dataPath;
    if (node === host.id || vtep === undefined) continue;
    lines.push(`fdb ${mac} ${vtep}`, ...addresses.map((address) => `neighbour ${bare(address)} ${mac}`));
  }
  return new Set(lines);
}

/** What the container's interface must have. */
function expectedContainer(network: NetworkRecord, { mac, addresses }: EndpointRecord): readonly string[] {
  return [`eth0 mac ${mac} mtu ${network.mtu.bytes}`, ...addresses.map((address) => `eth0 address ${address}`)].sort();
}

/** What the host holds of the network. */
export function actualState(host: SimHost, networkId: string): ReadonlySet<string> {
  const links = host.kernel.namespaces.get(namespaceOf(networkId) as never)?.links;
  const lines: string[] = [];
  const [bridge, tunnel] = [links?.get('br0'), links?.get('vxlan0')];
  if (bridge !== undefined) {
    lines.push(`br0 mtu ${bridge.link.mtu}`, ...[...addressesOf(bridge)].map((address) => `br0 address ${address}`));
  }
  if (tunnel?.link.kind === 'vxlan') {
    lines.push(`vxlan0 vni ${tunnel.link.vni} local ${tunnel.link.local}`, `vxlan0 mtu ${tunnel.link.mtu}`);
    for (const [mac, vteps] of tunnelsOf(tunnel)) for (const vtep of vteps) lines.push(`fdb ${mac} ${vtep}`);
    for (const [ip, mac] of neighboursOf(tunnel)) lines.push(`neighbour ${ip} ${mac}`);
  }
  return new Set(lines);
}

function actualContainer(host: SimHost, name: string): readonly string[] {
  const end = host.kernel.namespaces.get(`/run/netns/${name}` as never)?.links.get('eth0');
  if (end === undefined) return [];
  return [
    `eth0 mac ${end.link.mac} mtu ${end.link.mtu}`,
    ...[...addressesOf(end)].map((address) => `eth0 address ${address}`),
  ].sort();
}

/** The differences between kernels and records when all is at rest, one per line. */
export function stateFaults(moment: Moment, hosts: readonly SimHost[]): readonly string[] {
  const faults: string[] = [];
  for (const host of hosts) {
    for (const network of moment.networks.keys()) {
      const [is, must] = [actualState(host, network), expectedState(moment, host.name, network)];
      for (const line of must) if (!is.has(line)) faults.push(`${host.name} ${network} lacks ${line}`);
      for (const line of is) if (!must.has(line)) faults.push(`${host.name} ${network} has ${line}`);
    }
    const known = new Set([...moment.networks.keys()].map(namespaceOf));
    for (const path of host.kernel.namespaces.keys()) {
      if (path.includes('/cw-') && !known.has(path)) faults.push(`${host.name} has ${path} of no network`);
    }
  }
  for (const endpoint of moment.endpoints.values()) {
    const network = moment.networks.get(endpoint.network);
    const host = hosts.find(({ name }) => name === moment.nodes.get(endpoint.node)?.name);
    if (network === undefined || host === undefined) faults.push(`${endpoint.name} is of no network or host`);
    else if (actualContainer(host, endpoint.name).join() !== expectedContainer(network, endpoint).join()) {
      faults.push(`${host.name}: container ${endpoint.name} has ${actualContainer(host, endpoint.name).join()}`);
    }
  }
  return faults;
}

function linkLines({ mtu, subnets }: NetworkRecord): readonly string[] {
  const gateways = subnets.flatMap(({ prefix, gateway }) =>
    gateway === undefined ? [] : [`br0 address ${gateway}${prefix.slice(prefix.indexOf('/'))}`],
  );
  return [`vxlan0 mtu ${mtu.bytes}`, `br0 mtu ${mtu.bytes}`, ...gateways];
}

function namespaceOf(networkId: string): string {
  return `/run/netns/cw-${networkId.slice(0, 10)}`;
}

function bare(address: string): string {
  return address.slice(0, address.indexOf('/'));
}
