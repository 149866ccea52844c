import { sample } from '../random.ts';
import { concat } from '../wire/bytes.ts';
import { encodeCompound, partOverhead } from '../wire/compound.ts';
import { datagramRoom, encodeDatagram, type Layers, Packet } from '../wire/datagram.ts';
import { encodeMessage, type Message } from '../wire/message.ts';
import { type } from '../wire/message-type.ts';
import { understands } from '../wire/vsn.ts';
import type { Context } from './context.ts';
import type { Address, Member } from './member.ts';
import type { Membership } from './membership.ts';
import { transmitLimit } from './profile.ts';

/** The length of a part, and the type byte. */
const userOverhead = partOverhead + 1;

/** The longest user message that fits into a packet without other messages. */
export function userRoom(packetSize: number, layers: Layers): number {
  return new Packet(datagramRoom(packetSize, layers)).room - 1;
}

/** Sends datagrams. News rides on whatever is sent, and is sent by itself once per gossip interval. */
export class Packets {
  readonly #context: Context;
  readonly #membership: Membership;
  /** News waits for `eagerGossip`. */
  #isSoon = false;
  #lastRound = Number.NEGATIVE_INFINITY;

  constructor(context: Context, membership: Membership) {
    this.#context = context;
    this.#membership = membership;
    membership.onNews = () => this.soon();
  }

  start(): void {
    const { gossipInterval } = this.#context.settings.profile;
    // At a random time, so that nodes that start together do not send together.
    this.#context.after(this.#context.random.float() * gossipInterval, () => this.#gossip());
  }

  /** Sends the messages and what news fits beside them. `member`: the receiver, where it is known. */
  send(to: Address, messages: readonly Message[], member?: Member): void {
    const packet = this.#packet();
    for (const message of messages) packet.add(encodeMessage(message));
    this.#fill(packet);
    this.#emit(to, packet, member);
  }

  /** Sends one message of any length, alone. */
  sendAlone(to: Address, message: Message): void {
    const { layers } = this.#context.settings;
    this.#context.emit({ type: 'datagram', to, bytes: encodeDatagram(encodeMessage(message), layers, false) });
  }

  /** There is news: it does not wait for the interval, where the profile says so. */
  soon(): void {
    const { eagerGossip } = this.#context.settings.profile;
    if (eagerGossip === 0 || this.#isSoon || !this.#membership.hasOthers) return;
    this.#isSoon = true;
    this.#context.timers.at(Math.max(this.#context.now, this.#lastRound + eagerGossip), () => {
      this.#isSoon = false;
      this.#round();
    });
  }

  #gossip(): void {
    this.#context.after(this.#context.settings.profile.gossipInterval, () => this.#gossip());
    this.#round();
  }

  #round(): void {
    const { gossipNodes, gossipToTheDead } = this.#context.settings.profile;
    this.#lastRound = this.#context.now;
    const { me, all } = this.#membership;
    const { now, random } = this.#context;
    const hears = (each: Member): boolean =>
      each !== me && each.state !== 'left' && (each.state !== 'dead' || now - each.since <= gossipToTheDead);
    for (const member of sample(all, gossipNodes, random, hears)) {
      const packet = this.#packet();
      this.#fill(packet);
      if (packet.parts.length === 0) return;
      this.#emit(member, packet, member);
    }
    if (this.#membership.queue.hasUnsent) this.soon();
  }

  #packet(): Packet {
    const { profile, layers } = this.#context.settings;
    return new Packet(datagramRoom(profile.packetSize, layers));
  }

  /** News of members first, then the application's. */
  #fill(packet: Packet): void {
    const { settings, delegate } = this.#context;
    const limit = transmitLimit(settings.profile.retransmitMult, this.#membership.size);
    const { queue } = this.#membership;
    for (const message of queue.take(packet.room + partOverhead, partOverhead, limit, packet.partsLeft))
      packet.add(message);
    const room = packet.room + partOverhead;
    if (room <= userOverhead) return;
    for (const payload of delegate.broadcasts?.(room, userOverhead) ?? []) {
      packet.add(concat(Uint8Array.of(type.user), payload));
    }
  }

  #emit(to: Address, packet: Packet, member: Member | undefined): void {
    const readsChecksums = (member?.vsn[1] ?? 0) >= understands.checksums;
    const bytes = encodeDatagram(encodeCompound(packet.parts), this.#context.settings.layers, readsChecksums);
    this.#context.emit({ type: 'datagram', to, bytes });
  }
}
