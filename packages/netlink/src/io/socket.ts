import { type Answer, readAnswer } from '../answer.ts';
import { NLM_F_DUMP_INTR, NLMSG_DONE, NLMSG_ERROR } from '../constants.ts';
import { KernelError } from '../kernel-error.ts';
import { MessageReader } from '../reader.ts';
import { type Encode, MessageWriter } from '../writer.ts';
import {
  close,
  cookieOf,
  errnoName,
  interfaceIndex,
  openNetlink,
  portOf,
  receive,
  send,
  setBuffers,
  setNetlinkOption,
} from './libc.ts';
import { inNetns } from './netns.ts';
import { Slice } from './slice.ts';

// Socket options, linux/netlink.h.
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NETLINK_GET_STRICT_CHK = 12;

/** Bytes. Enough for the answers to a chunk in which every message fails (measured with up to 8,192 messages). */
const receiveBuffer = 4 << 20;
const sendBuffer = 1 << 20;
/** Bytes. The kernel fills datagrams of dumps up to 32 KiB (netlink_recvmsg), and exceeds this only for one huge link. */
const datagram = 64 << 10;
/**
 * Messages per send; they take 0.3 ms. With 512, a table takes 10 % less time, but the event loop waits four times as
 * long.
 */
export const chunkSize = 128;
/** How often a dump is taken if changes interrupt it. Then it fails: something changes all the time. */
const dumpTries = 10;

/** Shared by all sockets, because a message is sent right after it is written. */
const writer = new MessageWriter();

/** Buffers for answers that no call is using. Most sockets live for a few requests: a buffer for each would be garbage soon. */
const spare: Uint8Array[] = [];
const mostSpare = 4;

function takeBuffer(): Uint8Array {
  return spare.pop() ?? new Uint8Array(datagram);
}

function giveBack(buffer: Uint8Array): void {
  if (spare.length < mostSpare) spare.push(buffer);
}

/** Why one message of a batch failed. */
export interface Failure {
  readonly errno: string;
  readonly message: string;
}

/**
 * A netlink socket of one protocol. It belongs permanently to the namespace in which it was made, and keeps the namespace
 * alive until it is closed. Requests are synchronous: the kernel answers within send(2), so there is nothing to wait for.
 */
export class NetlinkSocket {
  readonly #fd: number;
  /** The kernel names it in answers to the socket's requests, and in notifications of what they have changed. */
  readonly port: number;
  #sequence = 1;
  #open = true;

  /**
   * @param protocol NETLINK_ROUTE, NETLINK_XFRM, …
   * @param netns fd of an open namespace; undefined: the process's own namespace.
   */
  constructor(protocol: number, netns?: number) {
    this.#fd = inNetns(netns, () => openNetlink(protocol));
    try {
      setBuffers(this.#fd, receiveBuffer, sendBuffer);
      for (const option of [NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK]) {
        setNetlinkOption(this.#fd, option, 1);
      }
      this.port = portOf(this.#fd);
    } catch (error) {
      close(this.#fd);
      throw error;
    }
  }

  /**
   * The index of the link with this name; undefined: there is no such link. Takes no lock, unlike a request for the
   * link.
   */
  linkIndex(name: string): number | undefined {
    return interfaceIndex(this.#fd, name);
  }

  /** The number of the socket's namespace; see `netnsCookie`. */
  get netnsCookie(): bigint | undefined {
    return cookieOf(this.#fd);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    close(this.#fd);
  }

  /** Sends one message; `visit` gets each message before the ack. Throws KernelError with the kernel's text. */
  request(encode: Encode, visit?: (message: MessageReader) => void): void {
    writer.reset(this.#sequence, this.port);
    encode(writer);
    writer.acknowledge();
    const sequence = this.#sequence;
    this.#send();
    const answer = this.#answerTo(sequence, visit);
    if (answer.errno !== 0) throw new KernelError(errnoName(answer.errno), answer.message);
  }

  /**
   * Sends messages that the kernel carries out together or not at all, as nf_tables does. `encode` writes all of them, and asks for
   * the ack of one. Throws KernelError with the kernel's text.
   */
  transaction(encode: Encode): void {
    const first = this.#sequence;
    writer.reset(first, this.port);
    encode(writer);
    const end = writer.sequence;
    this.#send();
    const buffer = takeBuffer();
    try {
      for (let isDone = false; !isDone; ) {
        const messages = this.#receive(buffer);
        while (messages.next()) {
          if (messages.type !== NLMSG_ERROR || messages.sequence < first || messages.sequence >= end) continue;
          // One failure undoes all. What the kernel says of the others has numbers for which no later request waits.
          const { errno, message } = readAnswer(messages);
          if (errno !== 0) throw new KernelError(errnoName(errno), message);
          isDone = true;
        }
      }
    } finally {
      giveBack(buffer);
    }
  }

  #answerTo(sequence: number, visit: ((message: MessageReader) => void) | undefined): Answer {
    const buffer = takeBuffer();
    try {
      for (let answer: Answer | undefined; ; ) {
        const messages = this.#receive(buffer);
        while (messages.next()) {
          if (messages.sequence !== sequence) continue;
          if (messages.type === NLMSG_ERROR) answer = readAnswer(messages);
          else visit?.(messages);
        }
        if (answer !== undefined) return answer;
      }
    } finally {
      giveBack(buffer);
    }
  }

  /**
   * Takes a dump: `add` gets every message, `empty` makes the value that it adds to. If a change interrupts the dump, it is
   * taken again with a new value. The event loop turns now and then, so a socket can do nothing else during a dump.
   */
  async dump<Found>(
    encode: Encode,
    empty: () => Found,
    add: (found: Found, message: MessageReader) => void,
  ): Promise<Found> {
    for (let tries = 0; tries < dumpTries; tries++) {
      const found = empty();
      const buffer = takeBuffer();
      try {
        const torn = await this.#dumpOnce(buffer, encode, (message) => add(found, message));
        if (!torn) return found;
      } finally {
        giveBack(buffer);
      }
    }
    throw new KernelError('EINTR', `a dump was torn by changes ${dumpTries} times running`);
  }

  /** Resolves to whether a change interrupted the dump. */
  async #dumpOnce(buffer: Uint8Array, encode: Encode, visit: (message: MessageReader) => void): Promise<boolean> {
    const slice = new Slice();
    let torn = false;
    writer.reset(this.#sequence, this.port);
    encode(writer);
    const sequence = this.#sequence;
    this.#send();
    for (;;) {
      const messages = this.#receive(buffer);
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
      await slice.maybeYield();
    }
  }

  /**
   * Sends up to `chunkSize` messages at once, one per item. Only the last message asks for an ack. The kernel reports
   * failures in any case, with the sequence number of the message. Returns the failures by index of the item. `visit` gets each message
   * of an answer that is no failure, with the index of the item.
   */
  batch<Item>(
    items: readonly Item[],
    encode: (to: MessageWriter, item: Item) => void,
    visit?: (message: MessageReader, index: number) => void,
  ): Map<number, Failure> {
    const failures = new Map<number, Failure>();
    if (items.length === 0) return failures;
    if (items.length > chunkSize) throw new RangeError(`${items.length} messages in one batch, more than ${chunkSize}`);
    const first = this.#sequence;
    writer.reset(first, this.port);
    for (const item of items) encode(writer, item);
    if (writer.sequence !== first + items.length) throw new RangeError('a batch takes one message per item');
    writer.acknowledge();
    this.#send();
    const buffer = takeBuffer();
    try {
      for (let done = false; !done; ) {
        const messages = this.#receive(buffer);
        while (messages.next()) {
          const place = messages.sequence - first;
          if (place < 0 || place >= items.length) continue;
          if (messages.type !== NLMSG_ERROR) {
            visit?.(messages, place);
            continue;
          }
          const { errno, message } = readAnswer(messages);
          if (errno !== 0) failures.set(place, { errno: errnoName(errno), message });
          done = place === items.length - 1;
        }
      }
    } finally {
      giveBack(buffer);
    }
    return failures;
  }

  #send(): void {
    // Far below 2^32, so that the numbers of one batch never wrap.
    this.#sequence = writer.sequence > 0x7fff_ffff ? 1 : writer.sequence;
    try {
      send(this.#fd, writer.bytes);
    } finally {
      writer.forgetSecrets();
    }
  }

  #receive(buffer: Uint8Array): MessageReader {
    const length = receive(this.#fd, buffer);
    if (length === 0) throw new KernelError('EPROTO', 'the kernel did not answer a netlink request');
    return new MessageReader(buffer, length);
  }
}
