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
/** Datagrams taken before others get a turn; the poll calls again at once for the rest. */
const burst = 256;

type OnMonitorDirt = (dirt: 'changed' | 'overrun', changes: Changes) => void;

export interface MonitorSettings {
  /** Bytes; 4 MiB. */
  readonly receiveBuffer?: number;
}

/** Listens to what changes in a namespace, and keeps that alive until it is closed. */
export class Monitor {
  readonly #fd: number;
  readonly #onDirt: OnMonitorDirt;
  readonly #filter = new wire.ChangeFilter();
  readonly #buffer = new Uint8Array(64 << 10);
  #poll: Poll | undefined;
  #open = true;

  /**
   * @param netns an open namespace; undefined: the one the process lives in.
   * @param onDirt once per wake-up, however much it brought.
   */
  constructor(netns: number | undefined, onDirt: OnMonitorDirt, settings: MonitorSettings = {}) {
    this.#onDirt = onDirt;
    this.#fd = inNetns(netns, () => openNetlink(NETLINK_ROUTE));
    try {
      setBuffers(this.#fd, settings.receiveBuffer ?? defaultReceiveBuffer, defaultReceiveBuffer);
      for (const group of groups) setNetlinkOption(this.#fd, NETLINK_ADD_MEMBERSHIP, group);
      this.#learnLinks();
      this.#poll = pollReadable(this.#fd, () => this.#drain());
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#poll?.close();
    close(this.#fd);
  }

  /**
   * The filter must know the links there are already. Events that come in among them are of before the monitor was there
   * for anybody: whoever made it looks after that.
   */
  #learnLinks(): void {
    const writer = new wire.MessageWriter(64);
    wire.dumpLinks(writer);
    send(this.#fd, writer.bytes);
    for (let length = this.#receive(); length !== 0; length = this.#receive()) {
      if (length === 'lost') continue;
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
    let overrun = false;
    for (let i = 0; i < burst; i++) {
      const length = this.#receive();
      if (length === 'lost') overrun = true;
      else if (length === 0) break;
      else changed = this.#hasChange(length, changes) || changed;
    }
    if (overrun) {
      // The error an overrun raises on the socket has made libuv stop the old one.
      this.#poll?.close();
      this.#poll = pollReadable(this.#fd, () => this.#drain());
      this.#onDirt('overrun', changes);
    } else if (changed) this.#onDirt('changed', changes);
  }

  #receive(): number | 'lost' {
    try {
      return receive(this.#fd, this.#buffer);
    } catch (error) {
      if (error instanceof KernelError && error.errno === 'ENOBUFS') return 'lost';
      throw error;
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
