import { type Answer, readAnswer } from '../answer.ts';
import { NLM_F_DUMP_INTR, NLMSG_DONE, NLMSG_ERROR } from '../constants.ts';
import { KernelError } from '../kernel-error.ts';
import { MessageReader } from '../reader.ts';
import { type Encode, MessageWriter } from '../writer.ts';
import { close, errnoName, interfaceIndex, openNetlink, receive, send, setBuffers, setNetlinkOption } from './libc.ts';
import { inNetns } from './netns.ts';
import { Slice } from './slice.ts';

// Socket options, linux/netlink.h.
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NETLINK_GET_STRICT_CHK = 12;

/** The answers to a chunk in which every message fails fit with room to spare (8,192 were measured to). */
const receiveBuffer = 4 << 20;
const sendBuffer = 1 << 20;
/** The kernel fills dumped datagrams up to 32 KiB (netlink_recvmsg), more only for one huge link. */
const datagram = 64 << 10;
/** Messages in one send, 0.3 ms of them: with 512 a table costs a tenth less, and the event loop waits four times as long. */
export const chunkSize = 128;
/** A dump torn by a change this many times running is given up: something never stops changing. */
const dumpTries = 10;

/** Why one message of a batch failed. */
export interface Failure {
  readonly errno: string;
  readonly message: string;
}

/**
 * A netlink socket of one protocol. It belongs for good to the namespace it was made in, and keeps that alive until it is closed.
 * Requests are synchronous: the kernel answers inside send(2), so there is never anything to wait for.
 */
export class NetlinkSocket {
  readonly #fd: number;
  readonly #buffer = new Uint8Array(datagram);
  readonly #writer = new MessageWriter();
  #sequence = 1;
  #open = true;

  /**
   * @param protocol NETLINK_ROUTE, NETLINK_XFRM, …
   * @param netns an open namespace; undefined: the one the process lives in.
   */
  constructor(protocol: number, netns?: number) {
    this.#fd = inNetns(netns, () => openNetlink(protocol));
    try {
      setBuffers(this.#fd, receiveBuffer, sendBuffer);
      for (const option of [NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK]) {
        setNetlinkOption(this.#fd, option, 1);
      }
    } catch (error) {
      close(this.#fd);
      throw error;
    }
  }

  /** The index of the link with this name; undefined: there is no such link. Unlike a request for the link, waits for no lock. */
  linkIndex(name: string): number | undefined {
    return interfaceIndex(this.#fd, name);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    close(this.#fd);
  }

  /** One message; `visit` sees what comes back before the ack. Throws KernelError with the kernel's words. */
  request(encode: Encode, visit?: (message: MessageReader) => void): void {
    this.#writer.reset(this.#sequence);
    encode(this.#writer);
    this.#writer.acknowledge();
    const sequence = this.#sequence;
    this.#send();
    let answer: Answer | undefined;
    while (answer === undefined) {
      const messages = this.#receive();
      while (messages.next()) {
        if (messages.sequence !== sequence) continue;
        if (messages.type === NLMSG_ERROR) answer = readAnswer(messages);
        else visit?.(messages);
      }
    }
    if (answer.errno !== 0) throw new KernelError(errnoName(answer.errno), answer.message);
  }

  /**
   * A dump, gathered: `add` sees every message, `empty` makes what it adds to. Taken again, from empty, when a change
   * tore it. The event loop turns now and then; so a socket does one dump at a time, and nothing else meanwhile.
   */
  async dump<Found>(
    encode: Encode,
    empty: () => Found,
    add: (found: Found, message: MessageReader) => void,
  ): Promise<Found> {
    for (let tries = 0; tries < dumpTries; tries++) {
      const found = empty();
      const torn = await this.#dumpOnce(encode, (message) => add(found, message));
      if (!torn) return found;
    }
    throw new KernelError('EINTR', `a dump was torn by changes ${dumpTries} times running`);
  }

  /** Whether a change tore it. */
  async #dumpOnce(encode: Encode, visit: (message: MessageReader) => void): Promise<boolean> {
    const slice = new Slice();
    let torn = false;
    this.#writer.reset(this.#sequence);
    encode(this.#writer);
    const sequence = this.#sequence;
    this.#send();
    for (;;) {
      const messages = this.#receive();
      while (messages.next()) {
        if (messages.sequence !== sequence) continue;
        torn ||= (messages.flags & NLM_F_DUMP_INTR) !== 0;
        if (messages.type === NLMSG_DONE || messages.type === NLMSG_ERROR) {
          const { errno, message } = readAnswer(messages);
          if (errno !== 0) throw new KernelError(errnoName(errno), message);
          return torn;
        }
        visit(messages);
      }
      await slice.breathe();
    }
  }

  /**
   * Up to `chunkSize` messages in one send, one per item. Only the last is acknowledged; failures are told anyway,
   * and found by their sequence number. Returns them by the item's place.
   */
  batch<Item>(items: readonly Item[], encode: (to: MessageWriter, item: Item) => void): Map<number, Failure> {
    const failures = new Map<number, Failure>();
    if (items.length === 0) return failures;
    if (items.length > chunkSize) throw new RangeError(`${items.length} messages in one batch, more than ${chunkSize}`);
    const first = this.#sequence;
    this.#writer.reset(first);
    for (const item of items) encode(this.#writer, item);
    if (this.#writer.sequence !== first + items.length) throw new RangeError('a batch takes one message per item');
    this.#writer.acknowledge();
    this.#send();
    for (let done = false; !done; ) {
      const messages = this.#receive();
      while (messages.next()) {
        const place = messages.sequence - first;
        if (messages.type !== NLMSG_ERROR || place < 0 || place >= items.length) continue;
        const { errno, message } = readAnswer(messages);
        if (errno !== 0) failures.set(place, { errno: errnoName(errno), message });
        done = place === items.length - 1;
      }
    }
    return failures;
  }

  #send(): void {
    // Far from 2^32, so that the numbers of one batch never wrap.
    this.#sequence = this.#writer.sequence > 0x7fff_ffff ? 1 : this.#writer.sequence;
    send(this.#fd, this.#writer.bytes);
  }

  #receive(): MessageReader {
    const length = receive(this.#fd, this.#buffer);
    if (length === 0) throw new KernelError('EPROTO', 'the kernel did not answer a netlink request');
    return new MessageReader(this.#buffer, length);
  }
}
