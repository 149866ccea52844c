import type { Lab } from '@causeway/lab/io';
import { type Pings, readPings } from './commands.ts';

/** A namespace with an endpoint of a network. */
export interface Container {
  readonly host: string;
  readonly netns: string;
  readonly address: string;
  readonly mac: string;
}

export interface Network {
  readonly id: string;
  readonly name: string;
  readonly vni: number;
  readonly mtu: number;
}

/** Attaches a container, named after its network, on each host. */
export async function attachEverywhere(lab: Lab, network: Network): Promise<readonly Container[]> {
  const containers: Container[] = [];
  for (const host of lab.hosts) {
    await lab.run(host, 'ip', 'netns', 'add', network.name);
    const where = { name: `${network.name}-${host}`, netns: `/run/netns/${network.name}` };
    const { addresses, mac } = await lab.attach(host, { network: network.name, ...where });
    containers.push({ host, netns: network.name, address: addresses[0]?.replace(/\/.*/, '') ?? '', mac });
  }
  return containers;
}

/** The command, inside the container. */
export function inside({ netns }: Pick<Container, 'netns'>, ...command: readonly string[]): readonly string[] {
  return ['ip', 'netns', 'exec', netns, ...command];
}

/** Text that is looked for on the wire. Its length is that of a pattern of ping(8). */
export const marker = 'CAUSEWAY-MARKER.';
const pattern = Buffer.from(marker).toString('hex');

/** Pings with the marker as content. */
export async function pingContainer(
  lab: Lab,
  from: Pick<Container, 'host' | 'netns'>,
  to: Pick<Container, 'address'>,
  ...options: readonly string[]
): Promise<Pings> {
  const words = ['ping', '-n', '-q', '-W', '1', '-p', pattern, '-s', '64', ...options, to.address];
  const { stdout, stderr } = await lab.try(from.host, ...inside(from, ...words));
  const pings = readPings(stdout);
  if (Number.isNaN(pings.sent)) throw new Error(`ping said: ${stdout}${stderr}`);
  return pings;
}
