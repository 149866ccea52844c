import { closeSync } from 'node:fs';
import { home, type NetnsPath } from '../state.ts';
import { getLink, type LinkRecord, readLink } from '../wire/index.ts';
import { KernelError } from './libc.ts';
import { openNetns } from './netns.ts';
import { NetlinkSocket } from './socket.ts';

/** One namespace, open. */
export interface OpenNamespace {
  /** undefined: the home namespace. */
  readonly fd: number | undefined;
  readonly socket: NetlinkSocket;
}

/**
 * The namespaces one call works in, each opened once, on demand. Nothing outlives the call: an open socket or fd keeps
 * a namespace, its links and its VNIs alive after everybody else has let go of it.
 */
export class Namespaces {
  readonly #open = new Map<NetnsPath, OpenNamespace>();
  readonly #links = new Map<NetnsPath, Map<string, LinkRecord>>();

  /** Throws KernelError ENOENT when no network namespace is mounted there. */
  get(path: NetnsPath): OpenNamespace {
    const open = this.find(path);
    if (open === undefined) throw new KernelError('ENOENT', `no network namespace is mounted at ${path}`);
    return open;
  }

  find(path: NetnsPath): OpenNamespace | undefined {
    const open = this.#open.get(path) ?? openNamespace(path);
    if (open !== undefined) this.#open.set(path, open);
    return open;
  }

  /** Throws as `link` does. */
  linkIndex(path: NetnsPath, name: string): number {
    return this.link(path, name).index;
  }

  /** Throws KernelError ENODEV when the namespace has no such link. */
  link(path: NetnsPath, name: string): LinkRecord {
    const link = this.findLink(path, name);
    if (link === undefined) throw new KernelError('ENODEV', `no link "${name}" in ${path || 'the home namespace'}`);
    return link;
  }

  /** Asked of the kernel once: each question waits for the lock that all namespaces of a machine share (RTNL). */
  findLink(path: NetnsPath, name: string): LinkRecord | undefined {
    const known = this.#links.get(path)?.get(name);
    if (known !== undefined) return known;
    const link = this.#askForLink(path, name);
    if (link === undefined) return undefined;
    const links = this.#links.get(path) ?? new Map<string, LinkRecord>();
    this.#links.set(path, links.set(name, link));
    return link;
  }

  /** We have changed the link. */
  linkChanged(path: NetnsPath, name: string): void {
    this.#links.get(path)?.delete(name);
  }

  /** We have removed a link; others may have gone with it, in other namespaces too. */
  linkRemoved(): void {
    this.#links.clear();
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
    this.#links.clear();
    if (open === undefined) return;
    open.socket.close();
    if (open.fd !== undefined) closeSync(open.fd);
  }

  close(): void {
    for (const path of [...this.#open.keys()]) this.forget(path);
  }
}

function openNamespace(path: NetnsPath): OpenNamespace | undefined {
  if (path === home) return { fd: undefined, socket: new NetlinkSocket() };
  const fd = openNetns(path);
  if (fd === undefined) return undefined;
  try {
    return { fd, socket: new NetlinkSocket(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
