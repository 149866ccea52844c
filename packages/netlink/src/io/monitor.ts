import { NLMSG_DONE, NLMSG_ERROR } from '../constants.ts';
import { KernelError } from '../kernel-error.ts';
import { DecodeError, MessageReader } from '../reader.ts';
import { type Encode, MessageWriter } from '../writer.ts';
import {
  close,
  listenToAllNsids,
  NsidBuffer,
  openNetlink,
  type Poll,
  pollReadable,
  receive,
  receiveWithNsid,
  send,
  setBuffers,
  setNetlinkOption,
} from './libc.ts';
import { inNetns } from './netns.ts';

const NETLINK_ADD_MEMBERSHIP = 1; // linux/netlink.h
/** Bytes. Holds about 10,000 events of NETLINK_ROUTE (measured). More events are an overrun, which costs a dump. */
const defaultReceiveBuffer = 4 << 20;
/** Milliseconds until the next attempt when a socket could not be made anew. */
const reopenAfter = 1_000;
/** How often receiving may fail while the first answers are read, after an overrun. More failures are an error. */
const mostLost = 16;
/** Bytes: the largest datagram of a notification is far smaller. */
const datagram = 64 << 10;
/** Datagrams that are read before other work gets a turn. The poll calls back at once for the rest. */
const burst = 256;

/** The callbacks of a monitor. Each runs in its own turn of the event loop. */
export interface MonitorListener {
  /**
   * The monitor begins to listen, for the first time or again. Earlier knowledge may be outdated. Returns the first dumps to
   * request on the same socket: later events are compared with their answers.
   */
  onListen(): readonly Encode[];
  /** An answer to one of these dumps, or an event that arrived among the answers. */
  onAnswer(message: MessageReader): void;
  /** `nsid`: the namespace that the message is from, with `allNsids`. */
  onEvent(message: MessageReader, nsid?: number): void;
  /** An event could not be decoded. It may be about any object. */
  onUnreadable(): void;
  /** All events so far were passed on. `isDrained`: none is waiting; otherwise more wait, and other work gets a turn first. */
  onBatchEnd(isDrained: boolean): void;
  /** Messages were lost. The monitor listens again. */
  onOverrun(): void;
}

export interface MonitorSettings {
  /** NETLINK_ROUTE, NETLINK_XFRM, … */
  readonly protocol: number;
  /** Multicast groups of the protocol: RTNLGRP_LINK, … */
  readonly groups: readonly number[];
  /** An open namespace, which must stay open as long as the monitor; undefined: the process's own namespace. */
  readonly netns?: number | undefined;
  /** Also listen to every namespace that this namespace has an nsid for (ip-netns(8), `set`). Needs CAP_NET_BROADCAST. */
  readonly allNsids?: boolean;
  /**
   * Milliseconds between two reads of the socket, so that many events cost few wake-ups, and senders that do not end cost little.
   * A read that finds messages is followed by another, and so by another `onBatchEnd`. Default: the socket is read at once.
   */
  readonly rest?: number;
  /** Bytes; default 4 MiB. */
  readonly receiveBuffer?: number;
  /** Called each time messages were lost, with ENOBUFS for an overrun or with the errno of recv(2). */
  readonly onLost?: (errno: string) => void;
  /** recv(2); tests replace it. */
  readonly receive?: typeof receive;
}

/** Receives notifications of a protocol's groups in one namespace, and keeps the namespace alive until it is closed. */
export class Monitor {
  readonly #listener: MonitorListener;
  readonly #settings: MonitorSettings;
  readonly #nsids: NsidBuffer | undefined;
  readonly #buffer: Uint8Array;
  #fd = -1;
  #poll: Poll | undefined;
  #open = true;
  #reopening: NodeJS.Timeout | undefined;
  #poked: NodeJS.Immediate | undefined;
  #resting: NodeJS.Timeout | undefined;

  constructor(listener: MonitorListener, settings: MonitorSettings) {
    this.#listener = listener;
    this.#settings = settings;
    this.#nsids = settings.allNsids === true ? new NsidBuffer(datagram) : undefined;
    this.#buffer = this.#nsids?.bytes ?? new Uint8Array(datagram);
    this.#listen();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    clearTimeout(this.#reopening);
    clearImmediate(this.#poked);
    clearTimeout(this.#resting);
    this.#hangUp();
  }

  /** Makes `onBatchEnd` run in the next turn of the event loop, whether or not an event is waiting. */
  poke(): void {
    this.#poked ??= setImmediate(() => {
      this.#poked = undefined;
      if (this.#fd >= 0) this.#drain();
    });
  }

  #listen(): void {
    const { protocol, groups, netns, receiveBuffer = defaultReceiveBuffer } = this.#settings;
    this.#fd = inNetns(netns, () => openNetlink(protocol));
    try {
      setBuffers(this.#fd, receiveBuffer, defaultReceiveBuffer);
      if (this.#nsids !== undefined) listenToAllNsids(this.#fd);
      for (const group of groups) setNetlinkOption(this.#fd, NETLINK_ADD_MEMBERSHIP, group);
      for (const dump of this.#listener.onListen()) this.#ask(dump);
      if (this.#resting === undefined) this.#await();
    } catch (error) {
      this.#hangUp();
      throw error;
    }
  }

  #await(): void {
    this.#poll = pollReadable(this.#fd, () => {
      this.#drain();
      this.#rest();
    });
  }

  /** Leaves the socket alone for a while; then reads it until nothing is left. */
  #rest(): void {
    const { rest } = this.#settings;
    if (rest === undefined || this.#fd < 0) return;
    this.#poll?.close();
    this.#poll = undefined;
    this.#resting = setTimeout(() => {
      const found = this.#drain();
      if (found) return this.#rest();
      this.#resting = undefined;
      if (this.#fd >= 0) this.#await();
    }, rest).unref();
  }

  #hangUp(): void {
    this.#poll?.close();
    this.#poll = undefined;
    if (this.#fd >= 0) close(this.#fd);
    this.#fd = -1;
  }

  /** Messages lost among the answers need no report: the listener must read the namespace after this anyway. */
  #ask(dump: Encode): void {
    const writer = new MessageWriter(64);
    dump(writer);
    send(this.#fd, writer.bytes);
    for (let lost = 0, length = this.#receive(); length !== 0; length = this.#receive()) {
      if (length === 'lost') {
        if (++lost > mostLost) throw new KernelError('EIO', 'the first answers to a monitor cannot be read');
        continue;
      }
      const messages = new MessageReader(this.#buffer, length);
      while (messages.next()) {
        if (messages.type === NLMSG_DONE || messages.type === NLMSG_ERROR) return;
        this.#listener.onAnswer(messages);
      }
    }
  }

  /** Returns whether there was anything to read. */
  #drain(): boolean {
    for (let i = 0; i < burst; i++) {
      const length = this.#receive();
      if (length === 'lost') {
        this.#startAnew();
        return true;
      }
      if (length === 0) {
        this.#listener.onBatchEnd(true);
        return i > 0;
      }
      this.#show(length);
    }
    this.#listener.onBatchEnd(false);
    return true;
  }

  #show(length: number): void {
    const messages = new MessageReader(this.#buffer, length);
    try {
      while (messages.next()) this.#listener.onEvent(messages, this.#nsids?.nsid);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#listener.onUnreadable();
    }
  }

  /**
   * Called after an overrun, and after any other receive error: libuv has stopped the poll. The loss is reported only
   * when the monitor listens again, so that no change is missed in between.
   */
  #startAnew(): void {
    this.#hangUp();
    try {
      this.#listen();
    } catch {
      // No descriptors or no memory. Until a retry succeeds, changes are found only by the periodic reads of the namespace.
      this.#reopening = setTimeout(() => this.#startAnew(), reopenAfter).unref();
      return;
    }
    this.#listener.onOverrun();
  }

  #receive(): number | 'lost' {
    const { receive: take = receive, onLost } = this.#settings;
    try {
      return this.#nsids === undefined ? take(this.#fd, this.#buffer) : receiveWithNsid(this.#fd, this.#nsids);
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      onLost?.(error.errno);
      return 'lost';
    }
  }
}
