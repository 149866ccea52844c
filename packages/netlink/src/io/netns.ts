import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, rmSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { KernelError } from '../kernel-error.ts';
import { type NetnsIdentity, netnsIdentity } from '../netns-identity.ts';
import { bindMount, gettid, isNetns, netnsCookie, setns, unmount, unshareNetns } from './libc.ts';

/** NSFS_MAGIC, linux/magic.h. */
const nsfs = 0x6e736673;
/** The calling thread's namespace. "/proc/self" is the process's first thread, which may be in another namespace. */
export const ownNetns = '/proc/thread-self/ns/net';

let wayBack: { readonly fd: number; readonly thread: number } | undefined;

/** On first use, keeps the thread's namespace open, so that the thread can return to it. */
function openWayBack(): number {
  wayBack ??= { fd: openSync(ownNetns, 'r'), thread: gettid() };
  if (wayBack.thread !== gettid()) throw new Error('network namespaces are switched on one thread only');
  return wayBack.fd;
}

function goHome(fd: number): void {
  try {
    setns(fd);
  } catch {
    // The process would otherwise change the network of the wrong namespace.
    process.abort();
  }
}

/**
 * Runs `work` with the calling thread in the namespace of `fd` (undefined: the current namespace). A socket stays in the
 * namespace it was made in, so only making sockets, and /proc/sys/net, needs this. `work` must be synchronous: otherwise
 * other code of this thread would run in the wrong namespace.
 */
export function inNetns<Value>(fd: number | undefined, work: () => Value): Value {
  if (fd === undefined) return work();
  const back = openWayBack();
  setns(fd);
  let value: Value;
  try {
    value = work();
  } finally {
    goHome(back);
  }
  if (isThenable(value)) throw new TypeError('work in another network namespace must be synchronous');
  return value;
}

/**
 * Makes a namespace that lives as long as its mount, like `ip netns add`. Missing directories are made. A plain file, left
 * from an earlier boot, is replaced. EEXIST if a namespace is mounted there. All links in it are down, "lo" too.
 */
export function createNetns(path: string): void {
  if (isNamespace(path)) throw new KernelError('EEXIST', `a namespace is mounted at ${path}`);
  const back = openWayBack();
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { force: true });
  closeSync(openSync(path, 'wx', 0o444));
  try {
    unshareNetns();
    try {
      bindMount(ownNetns, path);
    } finally {
      goHome(back);
    }
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  }
}

/** Makes a namespace without a path. It lives as long as the fd, which the caller must close, or a socket in it is open. */
export function openNewNetns(): number {
  const back = openWayBack();
  unshareNetns();
  try {
    return openSync(ownNetns, 'r');
  } finally {
    goHome(back);
  }
}

/** `ip netns delete`; succeeds if absent. The kernel destroys the namespace later, when no socket or process holds it. */
export function deleteNetns(path: string): void {
  while (isNamespace(path)) unmount(path);
  rmSync(path, { force: true });
}

/** An fd, which the caller must close; undefined: nothing is there, or not a network namespace. */
export function openNetns(path: string): number | undefined {
  // Check before opening: open(2) blocks on a pipe, and may have any effect on a device.
  if (!isNamespace(path)) return undefined;
  const fd = openSync(path, 'r');
  if (isNetns(fd)) return fd;
  closeSync(fd);
  return undefined;
}

/** Runs `work` with an open namespace; undefined: there is none at the path. */
export function withNetns<Value>(path: string, work: (fd: number) => Value): Value | undefined {
  const fd = openNetns(path);
  if (fd === undefined) return undefined;
  try {
    return work(fd);
  } finally {
    closeSync(fd);
  }
}

/** Whether the kernel numbers its network namespaces: see `NetnsIdentity`. */
export function hasCookies(): boolean {
  return netnsCookie() !== undefined;
}

/** The identity of an open namespace. `cookie`: the namespace's number, where the caller has a socket that says it. */
export function identityOf(fd: number, cookie = inNetns(fd, netnsCookie)): NetnsIdentity {
  return netnsIdentity(bootId(), cookie === undefined ? { inode: inodeOf(fd) } : { cookie });
}

/** The identity of the namespace at the path; with `ownNetns`, of the thread's own namespace. */
export function identifyNetns(path: string): NetnsIdentity | undefined {
  return withNetns(path, identityOf);
}

/** "device:inode" of an open namespace. The kernel may reuse it once the namespace is gone, but not while it is open. */
export function inodeOf(fd: number): string {
  const { dev, ino } = fstatSync(fd);
  return `${dev}:${ino}`;
}

/** Whether the path leads to the namespace with this inode. The caller must hold the namespace open. */
export function leadsTo(path: string, inode: string): boolean {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}` === inode;
  } catch {
    return false;
  }
}

let knownBootId: string | undefined;

/** Differs after each boot of the machine. */
function bootId(): string {
  knownBootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return knownBootId;
}

/** Whether a network namespace is mounted at the path. */
export function isNetnsAt(path: string): boolean {
  return withNetns(path, () => true) ?? false;
}

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value;
}

/** False if statfs(2) fails for any reason: nothing is there, no directory, no permission, not a path. */
function isNamespace(path: string): boolean {
  try {
    return statfsSync(path).type === nsfs;
  } catch {
    return false;
  }
}
