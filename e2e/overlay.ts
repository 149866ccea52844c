import type { Lab } from '@causeway/lab/io';
import type { NetworkJson } from './answers.ts';
import type { Container } from './cluster.ts';
import { ips } from './cluster.ts';

/** Name of a network's namespace, on every host that has the network. */
export function overlayOf(network: NetworkJson): string {
  return `cw-${network.id.slice(0, 10)}`;
}

/** The peers that a host's kernel knows, as sorted lines. */
export interface Peers {
  readonly fdb: readonly string[];
  readonly neighbours: readonly string[];
}

/** Reads the entries of the network's `vxlan0` on the host. */
export async function peersOn(lab: Lab, network: NetworkJson, host: string): Promise<Peers> {
  const netns = overlayOf(network);
  const [fdb, neighbours] = await Promise.all([
    lab.run(host, 'ip', 'netns', 'exec', netns, 'bridge', '-j', 'fdb', 'show', 'dev', 'vxlan0'),
    lab.run(host, 'ip', '-n', netns, '-j', 'neigh', 'show', 'dev', 'vxlan0', 'nud', 'all'),
  ]);
  const forwarded = (JSON.parse(fdb) as FdbJson[]).filter((entry) => entry.dst !== undefined);
  const known = (JSON.parse(neighbours) as NeighbourJson[]).filter((entry) => !isMulticast(entry));
  return {
    fdb: forwarded.map((entry) => `${entry.mac} ${entry.dst}`).sort(),
    neighbours: known.map((entry) => `${entry.dst} ${entry.lladdr} ${entry.state.join()}`).sort(),
  };
}

/** The entries that it must have: exactly the network's endpoints on other hosts. */
export function expectedPeers(lab: Lab, containers: readonly Container[], host: string): Peers {
  const remote = containers.filter((container) => container.host !== host);
  return {
    fdb: remote.map((container) => `${container.endpoint.mac} ${lab.underlay(container.host)}`).sort(),
    neighbours: remote
      .flatMap((container) => ips(container).map((ip) => `${ip} ${container.endpoint.mac} PERMANENT`))
      .sort(),
  };
}

/** Names of Causeway's namespaces on a host. */
export async function overlaysOn(lab: Lab, host: string): Promise<readonly string[]> {
  const names = await lab.sh(host, 'ls /run/netns 2>/dev/null || true');
  return names.split('\n').filter((name) => name.startsWith('cw-'));
}

/** Name of the host's end of an endpoint's veth pair. */
export function hostEndOf(container: Container): string {
  return `v${container.endpoint.id.slice(0, 12)}`;
}

/** An entry that the kernel makes itself, for the mapping of a multicast address to Ethernet. */
function isMulticast({ state }: NeighbourJson): boolean {
  return state.includes('NOARP');
}

interface FdbJson {
  readonly mac: string;
  readonly dst?: string;
}

interface NeighbourJson {
  readonly dst: string;
  readonly lladdr?: string;
  readonly state: readonly string[];
}
