import { closeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ip } from '@causeway/model';
import { KernelError, type MessageReader, NETLINK_ROUTE, type NetnsIdentity } from '@causeway/netlink';
import { identityOf, NetlinkSocket, openNetns, PacketSocket } from '@causeway/netlink/io';
import type { Expected } from '../kernel.ts';
import { ask } from '../kinds/ask.ts';
import type { Writing } from '../kinds/kind.ts';
import { isOurHostLink } from '../owner.ts';
import { hostNetns, type NetnsPath } from '../state.ts';
import { getLink, type LinkRecord, readLink } from '../wire/link.ts';
import { closeSocket, openSocket } from './encap-holders.ts';
import { deleteMoved, whereIs } from './moved-links.ts';
import { writeSysctl } from './sysctl.ts';

/** Both in ms. A namespace that is being destroyed keeps its VNIs for 0 to 70 ms, measured on an idle machine. */
const patience = 1000;
const pause = 20;

/** An open namespace. */
export class OpenNamespace {
  /** undefined: the host namespace. */
  readonly fd: number | undefined;
  /** By protocol; each is made on first use. */
  readonly #sockets = new Map<number, NetlinkSocket>();
  #packets: PacketSocket | undefined;
  #isOpen = true;

  constructor(fd: number | undefined) {
    this.fd = fd;
  }

  socket(protocol: number): NetlinkSocket {
    let socket = this.#sockets.get(protocol);
    if (socket === undefined) {
      socket = new NetlinkSocket(protocol, this.fd);
      this.#sockets.set(protocol, socket);
    }
    return socket;
  }

  /** Whether a request through this object has caused the notification. */
  isCauseOf({ port }: MessageReader, protocol: number): boolean {
    return this.#sockets.get(protocol)?.port === port;
  }

  /** Made on first use, and kept: the kernel takes milliseconds to close a packet socket. */
  get packets(): PacketSocket {
    this.#packets ??= new PacketSocket(this.fd);
    return this.#packets;
  }

  /**
   * The index of the link with this name; undefined: there is no such link. Takes no lock, unlike a request for the
   * link.
   */
  linkIndex(name: string): number | undefined {
    return this.socket(NETLINK_ROUTE).linkIndex(name);
  }

  /** undefined: the host namespace. */
  get identity(): NetnsIdentity | undefined {
    // A call that works in the namespace needs this socket anyway.
    return this.fd === undefined ? undefined : identityOf(this.fd, this.socket(NETLINK_ROUTE).netnsCookie);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  close(): void {
    this.#isOpen = false;
    for (const socket of this.#sockets.values()) socket.close();
    this.#packets?.close();
    if (this.fd !== undefined) closeSync(this.fd);
  }
}

/** Returns a namespace that a watch has open, if the path leads to it. */
export type Held = (path: NetnsPath) => OpenNamespace | undefined;

/**
 * The namespaces that one call works in, each opened once, on demand. All are closed when the call ends: an open socket or
 * fd would keep a namespace, its links and its VNIs alive after all other users have closed it.
 */
export class Namespaces implements Writing {
  readonly #held: Held;
  readonly #expected: Expected;
  readonly #open = new Map<NetnsPath, OpenNamespace>();
  /** Namespaces of watches that this call has used. A watch may close its namespace when the event loop turns. */
  readonly #borrowed = new Map<NetnsPath, OpenNamespace>();
  /** The index of the bridge of each port that this call has made. */
  readonly #masters = new Map<string, number>();

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

  /** Valid until the event loop turns: a watch that holds the namespace open may close it then. */
  find(path: NetnsPath): OpenNamespace | undefined {
    const known = this.#open.get(path) ?? this.#borrow(path);
    if (known !== undefined) return known;
    const open = openNamespace(path);
    if (open === undefined) return undefined;
    this.#open.set(path, open);
    const identity = this.#expected.get(path);
    if (identity === undefined || open.identity === identity) return open;
    this.forget(path);
    return undefined;
  }

  /** Looks once whether the path leads to the namespace of a watch, as a namespace is opened once. */
  #borrow(path: NetnsPath): OpenNamespace | undefined {
    const known = this.#borrowed.get(path);
    if (known?.isOpen === true) return known;
    const held = this.#held(path);
    if (held === undefined) this.#borrowed.delete(path);
    else this.#borrowed.set(path, held);
    return held;
  }

  socket(path: NetnsPath, protocol: number): NetlinkSocket {
    return this.get(path).socket(protocol);
  }

  fd(path: NetnsPath): number | undefined {
    return this.get(path).fd;
  }

  /** Throws KernelError ENODEV when the namespace has no such link, or the link of the host namespace is not ours. */
  linkIndex(path: NetnsPath, name: string): number {
    if (path === hostNetns) return this.link(path, name).index;
    const index = this.get(path).linkIndex(name);
    if (index === undefined) throw noSuchLink(path, name);
    return index;
  }

  hasLink(path: NetnsPath, name: string): boolean {
    return this.get(path).linkIndex(name) !== undefined;
  }

  /** Throws as `linkIndex` does. Waits for the lock that all namespaces of a machine share (RTNL). */
  link(path: NetnsPath, name: string): LinkRecord {
    const link = ask(this.socket(path, NETLINK_ROUTE), getLink(name), readLink);
    if (link === undefined || (path === hostNetns && !isOurHostLink(link))) throw noSuchLink(path, name);
    return link;
  }

  joined(path: NetnsPath, name: string, master: number): void {
    this.#masters.set(portKey(path, name), master);
  }

  masterOf(path: NetnsPath, name: string): number | undefined {
    return this.#masters.get(portKey(path, name)) ?? this.link(path, name).master;
  }

  writeSysctl(path: NetnsPath, key: string, value: string): void {
    writeSysctl(this.fd(path), key, value);
  }

  openEncapSocket(path: NetnsPath, address: Ip): Promise<void> {
    return openSocket(this.fd(path), address);
  }

  closeEncapSocket(path: NetnsPath, address: Ip): Promise<void> {
    return closeSocket(this.fd(path), address);
  }

  async deleteMoved(path: NetnsPath, matches: (link: LinkRecord) => boolean): Promise<void> {
    const { fd } = this.get(path);
    if (fd !== undefined) await deleteMoved(fd, matches);
  }

  whereIs(matches: (link: LinkRecord) => boolean): Promise<string> {
    return whereIs(matches);
  }

  async patiently(attempt: () => void, mayPass: (errno: string) => boolean): Promise<void> {
    const deadline = performance.now() + patience;
    for (;;) {
      try {
        return attempt();
      } catch (error) {
        if (!(error instanceof KernelError) || !mayPass(error.errno) || performance.now() > deadline) throw error;
      }
      await sleep(pause);
    }
  }

  /** Closes a namespace that is about to be deleted. */
  forget(path: NetnsPath): void {
    this.#borrowed.delete(path);
    const open = this.#open.get(path);
    this.#open.delete(path);
    open?.close();
  }

  close(): void {
    for (const path of [...this.#open.keys()]) this.forget(path);
  }
}

function portKey(path: NetnsPath, name: string): string {
  return `${path} ${name}`;
}

function noSuchLink(path: NetnsPath, name: string): KernelError {
  const where = path === hostNetns ? 'of Causeway in the host namespace' : `in ${path}`;
  return new KernelError('ENODEV', `no link "${name}" ${where}`);
}

/** undefined: no network namespace is mounted there. */
export function openNamespace(path: NetnsPath): OpenNamespace | undefined {
  if (path === hostNetns) return new OpenNamespace(undefined);
  const fd = openNetns(path);
  return fd === undefined ? undefined : new OpenNamespace(fd);
}
