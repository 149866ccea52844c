import { NLMSG_DONE, NLMSG_ERROR } from '../constants.ts';
import { KernelError } from '../kernel-error.ts';
import { DecodeError, MessageReader } from '../reader.ts';
import { type Encode, MessageWriter } from '../writer.ts';
import { close, openNetlink, type Poll, pollReadable, receive, send, setBuffers, setNetlinkOption } from './libc.ts';
import { inNetns } from './netns.ts';

const NETLINK_ADD_MEMBERSHIP = 1; // linux/netlink.h
/** About 10,000 events of NETLINK_ROUTE, measured. More are an overrun, which costs a dump, as the events themselves do. */
const defaultReceiveBuffer = 4 << 20;
/** Milliseconds until the next try, where a socket could not be made anew. */
const reopenAfter = 1_000;
/** Times that receiving may fail while the first answers are read: an overrun, then what is left. */
const mostLost = 16;
/** Datagrams taken before other work gets a turn; the poll calls again at once for the rest. */
const burst = 256;

/** What a monitor tells, each time from a turn of the event loop of its own. */
export interface MonitorListener {
  /**
   * The monitor listens now, for the first time or anew: what was known before may not be so any more. Returns the dumps
   * to ask for at first, on the same socket, whose answers say what the events are compared with.
   */
  onListen(): readonly Encode[];
  /** An answer to one of these dumps, or an event that came in among them. */
  onAnswer(message: MessageReader): void;
  onEvent(message: MessageReader): void;
  /** An event cannot be read: what it was about may be anything. */
  onUnreadable(): void;
  /** The events shown since the last time are all there are for now; not `all`: more wait, others get a turn first. */
  onHeard(all: boolean): void;
  /** Messages were lost, and the monitor listens again. */
  onOverrun(): void;
}

export interface MonitorSettings {
  /** NETLINK_ROUTE, NETLINK_XFRM, … */
  readonly protocol: number;
  /** Multicast groups of the protocol: RTNLGRP_LINK, … */
  readonly groups: readonly number[];
  /** An open namespace, open as long as the monitor is; undefined: the one the process lives in. */
  readonly netns?: number | undefined;
  /** Bytes; 4 MiB. */
  readonly receiveBuffer?: number;
  /** Called each time that messages were lost: with ENOBUFS for an overrun, or whatever recv(2) failed with. */
  readonly onLost?: (errno: string) => void;
  /** recv(2): for tests. */
  readonly receive?: typeof receive;
}

/** Listens to what the kernel tells the groups of a protocol in one namespace, and keeps that alive until it is closed. */
export class Monitor {
  readonly #listener: MonitorListener;
  readonly #settings: MonitorSettings;
  readonly #buffer = new Uint8Array(64 << 10);
  #fd = -1;
  #poll: Poll | undefined;
  #open = true;
  #reopening: NodeJS.Timeout | undefined;
  #poked: NodeJS.Immediate | undefined;

  constructor(listener: MonitorListener, settings: MonitorSettings) {
    this.#listener = listener;
    this.#settings = settings;
    this.#listen();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    clearTimeout(this.#reopening);
    clearImmediate(this.#poked);
    this.#hangUp();
  }

  /** In the next turn of the event loop `onHeard` is called, whether or not there is something to hear. */
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
      for (const group of groups) setNetlinkOption(this.#fd, NETLINK_ADD_MEMBERSHIP, group);
      for (const dump of this.#listener.onListen()) this.#ask(dump);
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

  /** What is lost among the answers is told by the listener's next reading of the namespace, which has to come after this. */
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

  #drain(): void {
    for (let i = 0; i < burst; i++) {
      const length = this.#receive();
      if (length === 'lost') {
        this.#startAnew();
        return;
      }
      if (length === 0) {
        this.#listener.onHeard(true);
        return;
      }
      this.#show(length);
    }
    this.#listener.onHeard(false);
  }

  #show(length: number): void {
    const messages = new MessageReader(this.#buffer, length);
    try {
      while (messages.next()) this.#listener.onEvent(messages);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#listener.onUnreadable();
    }
  }

  /**
   * After an overrun, and after any other failure to receive: libuv has stopped the poll. The loss is told once the monitor
   * listens again, so that nothing falls between.
   */
  #startAnew(): void {
    this.#hangUp();
    try {
      this.#listen();
    } catch {
      // No descriptors, no memory: whatever reads the namespace now and then reads it meanwhile.
      this.#reopening = setTimeout(() => this.#startAnew(), reopenAfter).unref();
      return;
    }
    this.#listener.onOverrun();
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
}
