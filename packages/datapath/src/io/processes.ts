import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** The process that has the socket with this inode open; undefined: this process cannot see it. */
export function holderOf(inode: string): number | undefined {
  return processes().find((pid) => listed(`/proc/${pid}/fd`).some((fd) => hasSocket(pid, fd, inode)));
}

export function hasSocket(pid: number, fd: number | string, inode: string): boolean {
  return targetOf(`/proc/${pid}/fd/${fd}`) === `socket:[${inode}]`;
}

export function processes(): readonly number[] {
  return listed('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number);
}

/** The name of the program, as `ps` shows it; undefined: the process has ended. */
export function programOf(pid: number): string | undefined {
  return textOf(`/proc/${pid}/comm`)?.trim();
}

/** Whether the process was started with this word in its environment: "NAME=value". */
export function wasStartedWith(pid: number, word: string): boolean {
  return textOf(`/proc/${pid}/environ`)?.split('\0').includes(word) === true;
}

/** The entries; none if the process has ended meanwhile. */
function listed(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function targetOf(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
