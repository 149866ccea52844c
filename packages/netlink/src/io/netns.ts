import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, rmSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { KernelError } from '../kernel-error.ts';
import { type NetnsIdentity, netnsIdentity } from '../netns-identity.ts';
import { bindMount, gettid, isNetns, netnsCookie, setns, unmount, unshareNetns } from './libc.ts';

/** NSFS_MAGIC, linux/magic.h. */
const nsfs = 0x6e736673;
/** The namespace of the calling thread. "/proc/self" is the process's first thread, which need not be the one that unshared. */
export const ownNetns = '/proc/thread-self/ns/net';

let wayBack: { readonly fd: number; readonly thread: number } | undefined;

/** Keeps the namespace the thread was in when it first asked, to find the way back. */
function openWayBack(): number {
  wayBack ??= { fd: openSync(ownNetns, 'r'), thread: gettid() };
  if (wayBack.thread !== gettid()) throw new Error('network namespaces are switched on one thread only');
  return wayBack.fd;
}

function goHome(fd: number): void {
  try {
    setns(fd);
  } catch {
    // Whatever this process did next would happen to another namespace's network.
    process.abort();
  }
}

/**
 * Runs `work` with the calling thread in the namespace of `fd` (undefined: where it is). Sockets made inside stay
 * there for good; so only the making of them, and /proc/sys/net, needs this. `work` is synchronous: everything else
 * that runs on this thread while it waited would be in the wrong namespace.
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
 * Makes a namespace that lives as long as its mount: `ip netns add`. Missing directories are made; a plain file left
 * over from a boot is replaced; a namespace that is there is EEXIST. Nothing in it is up, not even "lo".
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

/** `ip netns delete`; absent is fine. The kernel takes the namespace apart later, once no socket or process holds it. */
export function deleteNetns(path: string): void {
  while (isNamespace(path)) unmount(path);
  rmSync(path, { force: true });
}

/** An fd the caller closes; undefined: nothing there, or not a network namespace. */
export function openNetns(path: string): number | undefined {
  // Before opening: open(2) of a pipe blocks, and of a device may do anything.
  if (!isNamespace(path)) return undefined;
  const fd = openSync(path, 'r');
  if (isNetns(fd)) return fd;
  closeSync(fd);
  return undefined;
}

/** With an open namespace, or undefined when there is none at the path. */
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

/** The identity of an open namespace. */
export function identityOf(fd: number): NetnsIdentity {
  const cookie = inNetns(fd, netnsCookie);
  return netnsIdentity(bootId(), cookie === undefined ? { inode: inodeOf(fd) } : { cookie });
}

/** The identity of the namespace at the path; of the one the process lives in for `ownNetns`. */
export function identifyNetns(path: string): NetnsIdentity | undefined {
  return withNetns(path, identityOf);
}

/** "device:inode" of an open namespace: another namespace has it once this one is gone, but not while it is open. */
export function inodeOf(fd: number): string {
  const { dev, ino } = fstatSync(fd);
  return `${dev}:${ino}`;
}

/** Whether the path leads to the namespace of this inode, which the caller holds open. */
export function leadsTo(path: string, inode: string): boolean {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}` === inode;
  } catch {
    return false;
  }
}

let knownBootId: string | undefined;

/** Another one each time that the machine boots. */
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

/** Whatever keeps statfs(2) from looking (nothing there, no such directory, no right, no path at all) means no. */
function isNamespace(path: string): boolean {
  try {
    return statfsSync(path).type === nsfs;
  } catch {
    return false;
  }
}
