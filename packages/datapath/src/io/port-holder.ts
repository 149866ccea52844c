import { readFileSync } from 'node:fs';
import type { Ip } from '@causeway/model';
import { parseUdpSockets, type UdpSocket } from '../wire/udp-sockets.ts';
import { holderOf, programOf } from './processes.ts';

const any: Readonly<Record<4 | 6, string>> = { 4: '0.0.0.0', 6: '::' };

/**
 * Finds processes that have a UDP port of the host. The socket of a tunnel has no process. It has the port at all addresses of the
 * tunnel's family, so while it is there no process can send from this port in that family.
 */
export class PortHolder {
  readonly #port: number;
  /** Sockets of the kernel. They have been looked for in all processes, which takes long. */
  #tunnels: ReadonlySet<string> = new Set();

  constructor(port: number) {
    this.#port = port;
  }

  /** The process that has the port, in words. undefined: a tunnel of this family has it, or nothing. */
  stranger(family: 4 | 6): string | undefined {
    const sockets = ['udp', 'udp6'].flatMap(socketsOf).filter(({ port }) => port === this.#port);
    const tunnels = sockets.filter((socket) => this.#isTunnel(socket));
    this.#tunnels = new Set(tunnels.map(({ inode }) => inode));
    if (tunnels.some(({ address }) => address === any[family])) return undefined;
    const stranger = sockets.find((socket) => !tunnels.includes(socket));
    return stranger && wordsFor(stranger);
  }

  #isTunnel({ inode, user, address }: UdpSocket): boolean {
    if (this.#tunnels.has(inode)) return true;
    const isOfKernel = user === process.geteuid?.() && holderOf(inode) === undefined;
    return isOfKernel && Object.values<string>(any).includes(address satisfies Ip);
  }
}

function wordsFor({ inode, user }: UdpSocket): string {
  const pid = holderOf(inode);
  return pid === undefined ? `a process of the user ${user}` : `process ${pid} (${programOf(pid) ?? 'ended'})`;
}

/** A kernel without IPv6 has no udp6. */
function socketsOf(table: string): readonly UdpSocket[] {
  try {
    return parseUdpSockets(readFileSync(`/proc/thread-self/net/${table}`, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
