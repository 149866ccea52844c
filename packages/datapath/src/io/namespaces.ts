import { closeSync } from 'node:fs';
import { KernelError, NETLINK_ROUTE } from '@causeway/netlink';
import { identityOf, NetlinkSocket, openNetns } from '@causeway/netlink/io';
import type { Expected } from '../kernel.ts';
import { home, type NetnsPath } from '../state.ts';
import { getLink, type LinkRecord, readLink } from '../wire/index.ts';

/** One namespace, open. */
export interface OpenNamespace {
  /** undefined: the home namespace. */
  readonly fd: number | undefined;
  readonly socket: NetlinkSocket;
}

/** One that is open anyway, if it is what the path leads to. */
export type Held = (path: NetnsPath) => OpenNamespace | undefined;

/**
 * The namespaces one call works in, each opened once, on demand. Nothing it opens outlives the call: an open socket or
 * fd keeps a namespace, its links and its VNIs alive after everybody else has let go of it.
 */
export class Namespaces {
  readonly #held: Held;
  readonly #expected: Expected;
  readonly #open = new Map<NetnsPath, OpenNamespace>();

  constructor({
    held = () => undefined,
    expected = new Map(),
  }: { readonly held?: Held; readonly expected?: Expected | undefined } = {}) {
    this.#held = held;
    this.#expected = expected;
  }

  /** Throws KernelError ENOENT when no network namespace is mounted there. */
  get(path: NetnsPath): OpenNamespace {
    const open = this.find(path);
    if (open === undefined) throw new KernelError('ENOENT', `no network namespace is mounted at ${path}`);
    return open;
  }

  /** For now: who holds it may let go of it while the event loop turns. */
  find(path: NetnsPath): OpenNamespace | undefined {
    const known = this.#open.get(path) ?? this.#held(path);
    if (known !== undefined) return known;
    const open = openNamespace(path);
    if (open === undefined) return undefined;
    this.#open.set(path, open);
    const { fd } = open;
    const identity = this.#expected.get(path);
    if (identity === undefined || (fd !== undefined && identityOf(fd) === identity)) return open;
    this.forget(path);
    return undefined;
  }

  /** Throws KernelError ENODEV when the namespace has no such link. */
  linkIndex(path: NetnsPath, name: string): number {
    const index = this.findLinkIndex(path, name);
    if (index === undefined) throw noSuchLink(path, name);
    return index;
  }

  findLinkIndex(path: NetnsPath, name: string): number | undefined {
    return this.get(path).socket.linkIndex(name);
  }

  /** Throws as `linkIndex` does. Waits for the lock that all namespaces of a machine share (RTNL). */
  link(path: NetnsPath, name: string): LinkRecord {
    const link = this.#askForLink(path, name);
    if (link === undefined) throw noSuchLink(path, name);
    return link;
  }

  #askForLink(path: NetnsPath, name: string): LinkRecord | undefined {
    let link: LinkRecord | undefined;
    try {
      this.get(path).socket.request(getLink(name), (message) => {
        link = readLink(message);
      });
    } catch (error) {
      // A name no link can have (too long: ERANGE) is one no link has.
      if (error instanceof KernelError && (error.errno === 'ENODEV' || error.errno === 'ERANGE')) return undefined;
      throw error;
    }
    return link;
  }

  /** Lets go of one that is about to be deleted. */
  forget(path: NetnsPath): void {
    const open = this.#open.get(path);
    this.#open.delete(path);
    if (open !== undefined) closeNamespace(open);
  }

  close(): void {
    for (const path of [...this.#open.keys()]) this.forget(path);
  }
}

function noSuchLink(path: NetnsPath, name: string): KernelError {
  return new KernelError('ENODEV', `no link "${name}" in ${path || 'the home namespace'}`);
}

export function closeNamespace({ fd, socket }: OpenNamespace): void {
  socket.close();
  if (fd !== undefined) closeSync(fd);
}

/** undefined: no network namespace is mounted there. */
export function openNamespace(path: NetnsPath): OpenNamespace | undefined {
  if (path === home) return { fd: undefined, socket: new NetlinkSocket(NETLINK_ROUTE) };
  const fd = openNetns(path);
  if (fd === undefined) return undefined;
  try {
    return { fd, socket: new NetlinkSocket(NETLINK_ROUTE, fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
