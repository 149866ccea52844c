import { readFileSync } from 'node:fs';
import { KernelError } from '@causeway/netlink';
import { bindUnixName, close } from '@causeway/netlink/io';
import type { Lock, LockOutcome } from '@causeway/runtime';
import { holderOf } from './processes.ts';

/**
 * Allows one process per network namespace. The lock is a name in the abstract namespace of unix sockets (unix(7)):
 * each network namespace has its own names, and they do not depend on file systems. The kernel frees the name when the
 * process ends.
 */
export class NetnsLock implements Lock {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  async take(): Promise<LockOutcome> {
    try {
      const fd = bindUnixName(this.#name);
      return { kind: 'held', release: () => close(fd) };
    } catch (error) {
      if (error instanceof KernelError && error.errno === 'EADDRINUSE') {
        return { kind: 'taken', pid: holderOfName(this.#name) };
      }
      throw error;
    }
  }
}

/** `ss -xlp`: the process that has the socket of this name open; undefined: this process cannot see it. */
function holderOfName(name: string): number | undefined {
  const inode = inodeOf(readFileSync('/proc/net/unix', 'utf8'), name);
  return inode === undefined ? undefined : holderOf(inode);
}

/** In the kernel's table (net/unix/af_unix.c, unix_seq_show) "@" precedes an abstract name. */
function inodeOf(table: string, name: string): string | undefined {
  const fields = table.split('\n').map((line) => line.trim().split(/\s+/));
  return fields.find((field) => field[7] === `@${name}`)?.[6];
}
