import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { encapPort, type Ip, ipBytes } from '@causeway/model';
import { KernelError } from '@causeway/netlink';
import { close, inNetns, openEncapSocket } from '@causeway/netlink/io';
import { parseUdpSockets, type UdpSocket } from '../wire/udp-sockets.ts';
import { hasSocket, holderOf, processes, programOf, wasStartedWith } from './processes.ts';

/*
 * A socket that takes ESP in UDP must be open all the time, also while no agent runs. So a process holds it that does nothing
 * else: sleep(1), which the agent starts with the open socket. It belongs to no agent and ends with the host, or by `closeSocket`.
 * There is no file that says which process it is. The process has the socket, and a word in its environment.
 */

/** The descriptor of the socket in the process that holds it: the first after the standard three. */
const socketFd = 3;
/** The variable in the environment of such a process. */
const mark = 'CAUSEWAY_ENCAP_SOCKET';
/** Milliseconds. The process ends at once, unless the machine is very busy. */
const patience = 5_000;
const pause = 5;

/** The addresses at which a process of ours holds a socket. `netns`: fd of a namespace; undefined: the process's own. */
export function heldSockets(netns: number | undefined): ReadonlySet<Ip> {
  const sockets = socketsIn(netns);
  if (sockets.length === 0) return new Set();
  const pids = processes();
  return new Set(sockets.filter((socket) => ourHolder(socket, pids) !== undefined).map(({ address }) => address));
}

/**
 * @throws KernelError EEXIST: a process of ours has the socket; EADDRINUSE, which names the process that has the port;
 * EADDRNOTAVAIL: the host has no such address
 */
export async function openSocket(netns: number | undefined, address: Ip): Promise<void> {
  const fd = inNetns(netns, () => {
    try {
      return openEncapSocket(ipBytes(address), encapPort);
    } catch (error) {
      throw explained(error, address);
    }
  });
  try {
    const holder = spawn('sleep', ['infinity'], {
      ...{ cwd: '/', detached: true, env: { PATH: process.env['PATH'], [mark]: address } },
      stdio: ['ignore', 'ignore', 'ignore', fd],
    });
    holder.unref();
    await once(holder, 'spawn').catch((error: Error) => {
      throw new KernelError('ENOENT', `the program "sleep" cannot be run: ${error.message}`);
    });
  } finally {
    close(fd);
  }
}

/** Ends the process of ours that holds the socket. Returns when the port is free. */
export async function closeSocket(netns: number | undefined, address: Ip): Promise<void> {
  const deadline = performance.now() + patience;
  for (;;) {
    const socket = socketsIn(netns).find((each) => each.address === address);
    const holder = socket && ourHolder(socket, processes());
    if (holder === undefined) return;
    end(holder);
    if (performance.now() > deadline) throw new KernelError('EBUSY', `process ${holder} does not end`);
    await sleep(pause);
  }
}

/** Any user can give a process that word and a socket at the port, which would not take ESP. A socket cannot change its user. */
function ourHolder({ address, inode, user }: UdpSocket, pids: readonly number[]): number | undefined {
  if (user !== process.geteuid?.()) return undefined;
  return pids.find((pid) => hasSocket(pid, socketFd, inode) && wasStartedWith(pid, `${mark}=${address}`));
}

function end(pid: number): void {
  try {
    process.kill(pid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it has ended
  }
}

/** The sockets at the port in a namespace, of any program. */
function socketsIn(netns: number | undefined): readonly UdpSocket[] {
  const tables = inNetns(netns, () => ['udp', 'udp6'].map(tableOf));
  return tables.flatMap(parseUdpSockets).filter(({ port }) => port === encapPort);
}

/** The table of the thread's namespace. A kernel without IPv6 has no udp6. */
function tableOf(name: string): string {
  try {
    return readFileSync(`/proc/thread-self/net/${name}`, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

function explained(error: unknown, address: Ip): unknown {
  if (!(error instanceof KernelError) || error.errno !== 'EADDRINUSE') return error;
  const any = new Set<string>([address, '0.0.0.0', '::']);
  const taken = parseUdpSockets(['udp', 'udp6'].map(tableOf).join('\n')).find(
    (each) => each.port === encapPort && any.has(each.address),
  );
  if (taken !== undefined && ourHolder(taken, processes()) !== undefined)
    return new KernelError('EEXIST', `a process of ours has UDP port ${encapPort} of ${address}`);
  const pid = taken && holderOf(taken.inode);
  const who = pid === undefined ? 'another process' : `process ${pid} (${programOf(pid) ?? 'ended'})`;
  return new KernelError('EADDRINUSE', `${who} has UDP port ${encapPort}, which ESP in UDP needs at ${address}`);
}
