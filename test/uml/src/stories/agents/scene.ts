import { Lab } from '@causeway/lab/io';
import type { Pings } from '../../guest/commands.ts';
import { attachEverywhere, type Container, type Network, pingContainer } from '../../guest/containers.ts';
import type { Sa } from '../../guest/sa-watch.ts';
import { until } from '../../guest/until.ts';

export const plainPort = 4789;
export const encryptedPort = 4793;

/** A network with a container on each host. */
export interface Population {
  readonly network: Network;
  readonly containers: readonly [Container, Container, Container];
}

/** A lab with an encrypted network. */
export interface VaultScene {
  readonly lab: Lab;
  readonly vault: Population;
}

export interface Scene extends VaultScene {
  /** Not encrypted. */
  readonly plain: Population;
}

/** One manager with its etcd, and three agents. */
export function makeLab(): Promise<Lab> {
  const progress = (what: string): void => console.log(`uml: ${what}`);
  return Lab.replace({ name: 'uml', hosts: 3, etcd: 'embedded', subnet: '10.95.0.0/24' }, { progress });
}

export function populatePlain(lab: Lab): Promise<Population> {
  return populate(lab, 'plain', '10.71.0.0/24');
}

export function populateVault(lab: Lab): Promise<Population> {
  return populate(lab, 'vault', '10.72.0.0/24', '--encrypt');
}

/** Resolves when all containers reach each other. */
async function populate(lab: Lab, name: string, subnet: string, ...options: readonly string[]): Promise<Population> {
  const network = await lab.json<Network>('h1', 'network', 'create', name, '--subnet', subnet, ...options);
  const [a, b, c] = await attachEverywhere(lab, network);
  if (a === undefined || b === undefined || c === undefined) throw new TypeError('a lab with three hosts');
  const population: Population = { network, containers: [a, b, c] };
  await reachEachOther(lab, population);
  return population;
}

/** Resolves when all containers of the encrypted network reach each other. */
export function reachable({ lab, vault }: VaultScene): Promise<void> {
  return reachEachOther(lab, vault);
}

async function reachEachOther(lab: Lab, population: Population): Promise<void> {
  await until(
    `all containers of ${population.network.name} reach each other`,
    async () => {
      const pings = await pingAll(lab, population, '-c', '1');
      return pings.every(({ received }) => received === 1);
    },
    60_000,
  );
}

/** From each to each other. */
export async function pingAll(
  lab: Lab,
  { containers }: Population,
  ...options: readonly string[]
): Promise<readonly Pings[]> {
  const pairs = containers.flatMap((from) => containers.filter((to) => to !== from).map((to) => ({ from, to })));
  return Promise.all(pairs.map(({ from, to }) => pingContainer(lab, from, to, ...options)));
}

/** An address of the underlay that no host has. */
export function strangerOf({ lab }: VaultScene): string {
  return lab.underlay('h1').replace(/\d+$/, '200');
}

/** An SA of a host, as iproute2 lists it. */
export interface ListedSa extends Sa {
  /** As "4500>61000"; absent: plain ESP. */
  readonly ports?: string;
}

export async function sasOf({ lab }: VaultScene, host: string): Promise<readonly ListedSa[]> {
  const text = await lab.run(host, 'ip', 'xfrm', 'state', 'list', 'nokeys');
  return text.split(/^(?=src )/m).flatMap((each): ListedSa[] => {
    const [, src, dst, spi] = /^src (\S+) dst (\S+)\s+proto esp spi (0x[0-9a-f]+)/.exec(each) ?? [];
    if (src === undefined || dst === undefined || spi === undefined) return [];
    const [, from, to] = /espinudp sport (\d+) dport (\d+)/.exec(each) ?? [];
    return [{ src, dst, spi, ...(from !== undefined && { ports: `${from}>${to}` }) }];
  });
}
