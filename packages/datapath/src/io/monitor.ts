import { ChangeSet, type Changes } from '../changes.ts';
import * as wire from '../wire/index.ts';
import {
  close,
  KernelError,
  openNetlink,
  type Poll,
  pollReadable,
  receive,
  send,
  setBuffers,
  setNetlinkOption,
} from './libc.ts';
import { inNetns } from './netns.ts';

const NETLINK_ROUTE = 0; // linux/netlink.h
const NETLINK_ADD_MEMBERSHIP = 1;
const groups = [
  wire.RTNLGRP_LINK,
  wire.RTNLGRP_NEIGH,
  wire.RTNLGRP_IPV4_IFADDR,
  wire.RTNLGRP_IPV4_ROUTE,
  wire.RTNLGRP_IPV6_IFADDR,
  wire.RTNLGRP_IPV6_ROUTE,
];
/** About 10,000 events, measured. More are an overrun, which costs a dump, as the events themselves do. */
const defaultReceiveBuffer = 4 << 20;
/** Milliseconds until the next try, where a socket could not be made anew. */
const reopenAfter = 1_000;
/** Times that receiving may fail while the links are read: an overrun, then what is left. */
const mostLost = 16;
/** Datagrams taken before others get a turn; the poll calls again at once for the rest. */
const burst = 256;

type OnMonitorDirt = (dirt: 'changed' | 'overrun', changes: Changes) => void;

export interface MonitorSettings {
  /** Bytes; 4 MiB. */
  readonly receiveBuffer?: number;
  /** Told of each time that events were lost: ENOBUFS for an overrun, or whatever recv(2) failed with. */
  readonly onLost?: (errno: string) => void;
  /** recv(2): for tests. */
  readonly receive?: typeof receive;
}

/** Listens to what changes in a namespace, and keeps that alive until it is closed. */
export class Monitor {
  readonly #netns: number | undefined;
  readonly #onDirt: OnMonitorDirt;
  readonly #settings: MonitorSettings;
  readonly #buffer = new Uint8Array(64 << 10);
  #filter = new wire.ChangeFilter();
  #fd = -1;
  #poll: Poll | undefined;
  #open = true;
  #reopening: NodeJS.Timeout | undefined;
  #listening: NodeJS.Immediate | undefined;

  /**
   * @param netns an open namespace, open as long as the monitor is; undefined: the one the process lives in.
   * @param onDirt once per wake-up, however much it brought.
   */
  constructor(netns: number | undefined, onDirt: OnMonitorDirt, settings: MonitorSettings = {}) {
    this.#netns = netns;
    this.#onDirt = onDirt;
    this.#settings = settings;
    this.#listen();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    clearTimeout(this.#reopening);
    clearImmediate(this.#listening);
    this.#hangUp();
  }

  /**
   * This process has just written these entries. What the kernel told of the writes waits in the socket already, since the
   * kernel does so before it answers; an event that says anything else of them is told on.
   */
  wrote(entries: readonly wire.WrittenEntry[]): void {
    if (this.#fd < 0) return;
    for (const entry of entries) this.#filter.own.add(entry);
    // A write that changes nothing brings no event that would end this.
    this.#listening ??= setImmediate(() => {
      this.#listening = undefined;
      if (this.#fd >= 0) this.#drain();
    });
  }

  /** A socket of its own, with all links learned: what was known before may not be so any more. */
  #listen(): void {
    this.#fd = inNetns(this.#netns, () => openNetlink(NETLINK_ROUTE));
    try {
      setBuffers(this.#fd, this.#settings.receiveBuffer ?? defaultReceiveBuffer, defaultReceiveBuffer);
      for (const group of groups) setNetlinkOption(this.#fd, NETLINK_ADD_MEMBERSHIP, group);
      this.#filter = new wire.ChangeFilter();
      this.#learnLinks();
      this.#poll = pollReadable(this.#fd, () => this.#drain());
    } catch (error) {
      this.#hangUp();
      throw error;
    }
  }

  #hangUp(): void {
    this.#poll?.close();
    this.#poll = undefined;
    if (this.#fd >= 0) close(this.#fd);
    this.#fd = -1;
  }

  /**
   * The filter must know the links there are already. Events that come in among them were before the monitor listened for
   * anybody: whoever waits for it looks at everything afterwards. What is lost among them is told as soon as one can tell.
   */
  #learnLinks(): void {
    const writer = new wire.MessageWriter(64);
    wire.dumpLinks(writer);
    send(this.#fd, writer.bytes);
    for (let lost = 0, length = this.#receive(); length !== 0; length = this.#receive()) {
      if (length === 'lost') {
        if (++lost > mostLost) throw new KernelError('EIO', 'the links of a namespace cannot be read');
        continue;
      }
      const messages = new wire.MessageReader(this.#buffer, length);
      while (messages.next()) {
        if (messages.type === wire.NLMSG_DONE || messages.type === wire.NLMSG_ERROR) return;
        this.#filter.changeOf(messages);
      }
    }
  }

  #drain(): void {
    const changes = new ChangeSet();
    let changed = false;
    let lost = false;
    for (let i = 0; i < burst && !lost; i++) {
      const length = this.#receive();
      if (length === 0) {
        this.#filter.own.forgetAll();
        break;
      }
      if (length === 'lost') lost = true;
      else changed = this.#hasChange(length, changes) || changed;
    }
    if (lost) this.#startAnew();
    else if (changed) this.#onDirt('changed', changes);
  }

  /**
   * After an overrun, and after any other failure to receive: libuv has stopped the poll, and what was lost may have been
   * about the links that the filter compares with. Told once one listens again, so that nothing falls between.
   */
  #startAnew(): void {
    this.#hangUp();
    try {
      this.#listen();
    } catch {
      // No descriptors, no memory: the sweep looks meanwhile.
      this.#reopening = setTimeout(() => this.#startAnew(), reopenAfter).unref();
      return;
    }
    this.#onDirt('overrun', new ChangeSet());
  }

  #receive(): number | 'lost' {
    const { receive: take = receive, onLost } = this.#settings;
    try {
      return take(this.#fd, this.#buffer);
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      onLost?.(error.errno);
      return 'lost';
    }
  }

  #hasChange(length: number, changes: ChangeSet): boolean {
    const messages = new wire.MessageReader(this.#buffer, length);
    let changed = false;
    try {
      while (messages.next()) {
        const change = this.#filter.changeOf(messages);
        if (change === undefined) continue;
        changed = true;
        if (change.kind === 'link') changes.links.add(change.name);
        else if (change.kind === 'fdb') changes.addFdb(change.dev, change.mac);
        else if (change.kind === 'neighbour') changes.addNeighbour(change.dev, change.ip);
        else changes.more = true;
      }
      return changed;
    } catch (error) {
      if (!(error instanceof wire.DecodeError)) throw error;
      // What cannot be read may be anything.
      changes.more = true;
      return true;
    }
  }
}
