import type { Lab } from '@causeway/lab/io';
import { type Container, inside, type Network } from './containers.ts';

/** The kernel's count of packets that the policies or SAs of the host dropped for this reason (xfrm_proc). */
export async function dropped(lab: Lab, host: string, reason: string): Promise<number> {
  const text = await lab.run(host, 'cat', '/proc/net/xfrm_stat');
  return Number(new RegExp(`^${reason}\\s+(\\d+)`, 'm').exec(text)?.[1]);
}

/** Echo requests that the container has received. */
export async function echoes(lab: Lab, at: Container): Promise<number> {
  const text = await lab.run(at.host, ...inside(at, 'cat', '/proc/net/snmp'));
  const [names, values] = text.split('\n').filter((line) => line.startsWith('Icmp:'));
  const index = names?.split(' ').indexOf('InEchos') ?? -1;
  return Number(values?.split(' ')[index]);
}

/** Name of the network's namespace on each host. */
export function overlayOf({ id }: Network): string {
  return `cw-${id.slice(0, 10)}`;
}
