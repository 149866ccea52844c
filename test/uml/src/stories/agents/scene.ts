import type { Lab } from '@causeway/lab/io';
import type { Pings } from '../../guest/commands.ts';
import { type Container, type Network, pingContainer } from '../../guest/containers.ts';

export const plainPort = 4789;
export const encryptedPort = 4793;

/** A network with a container on each host. */
export interface Population {
  readonly network: Network;
  readonly containers: readonly [Container, Container, Container];
}

export interface Scene {
  readonly lab: Lab;
  readonly plain: Population;
  /** Encrypted. */
  readonly vault: Population;
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
export function strangerOf({ lab }: Scene): string {
  return lab.underlay('h1').replace(/\d+$/, '200');
}

/** SAs of a host: where they lead, and their SPI. */
export async function sasOf(
  { lab }: Scene,
  host: string,
): Promise<readonly { src: string; dst: string; spi: string }[]> {
  const text = await lab.run(host, 'ip', 'xfrm', 'state', 'list', 'nokeys');
  const found = text.matchAll(/^src (\S+) dst (\S+)\s+proto esp spi (0x[0-9a-f]+)/gm);
  return [...found].map(([, src = '', dst = '', spi = '']) => ({ src, dst, spi }));
}
