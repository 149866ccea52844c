import { sample } from '../random.ts';
import { type Bytes, equalBytes, noBytes } from '../wire/bytes.ts';
import type { Ping } from '../wire/message.ts';
import type { PushPull } from '../wire/push-pull.ts';
import { encodeReply, encodeRequest, type StreamMessage, StreamReader } from '../wire/stream.ts';
import { incompatibility } from './compatibility.ts';
import type { Context } from './context.ts';
import type { StreamId } from './effect.ts';
import type { Gate } from './gate.ts';
import { type Address, infoOf, type Member } from './member.ts';
import type { Membership } from './membership.ts';
import type { Pings } from './pings.ts';
import type { Prober } from './prober.ts';
import { pushPullDelay } from './profile.ts';
import type { Timer } from './timers.ts';

/** memberlist serves so many push/pulls at a time. */
const maxAccepted = 128;
/** One source cannot take all. More than a few are rare: many nodes behind one address, or on one machine. */
const maxAcceptedOfSource = 32;

/** A peer that opens a stream has to say so soon what it sends, or gives its place to others. */
const headerTimeout = 2000;

/** Why this side opened a stream. */
type Purpose =
  | { readonly type: 'pushPull'; readonly join: boolean; readonly settle: Settle }
  | { readonly type: 'ping'; readonly seqNo: number }
  | { readonly type: 'user'; readonly command: number };

/** Takes the outcome of a push/pull: why it failed. */
type Settle = (why: string | undefined) => void;

interface Stream {
  readonly peer: Address;
  readonly reader: StreamReader;
  timer: Timer;
  /** Undefined: the peer opened the stream. */
  readonly purpose: Purpose | undefined;
}

/** What goes over TCP: push/pulls, pings where UDP fails, and reliable user messages. */
export class Exchanges {
  readonly #context: Context;
  readonly #membership: Membership;
  readonly #gate: Gate;
  readonly #pings: Pings;
  readonly #prober: () => Prober;
  readonly #streams = new Map<StreamId, Stream>();
  #nextId: StreamId = 0;

  constructor(context: Context, membership: Membership, gate: Gate, pings: Pings, prober: () => Prober) {
    this.#context = context;
    this.#membership = membership;
    this.#gate = gate;
    this.#pings = pings;
    this.#prober = prober;
  }

  start(): void {
    const { pushPullInterval } = this.#context.settings.profile;
    this.#context.after(this.#context.random.float() * pushPullInterval, () => this.#tick());
  }

  #tick(): void {
    const { all, me, size } = this.#membership;
    this.#context.after(pushPullDelay(this.#context.settings.profile.pushPullInterval, size), () => this.#tick());
    const isPeer = (each: Member): boolean => each !== me && each.state === 'alive';
    for (const peer of sample(all, 1, this.#context.random, isPeer)) this.exchange(peer);
  }

  join(to: Address, command: number): void {
    this.#pushPull(to, true, (error) => this.#context.emit({ type: 'settled', command, error }));
  }

  /** A push/pull that no command asked for. `answered`: the peer answered, and the answer was taken. */
  exchange(peer: Address, answered: () => void = () => undefined): void {
    this.#pushPull(peer, false, (why) => {
      if (why === undefined) answered();
      else this.#context.event({ type: 'exchangeFailed', with: peer, why });
    });
  }

  /** As `exchange`; that the peer does not answer is expected. */
  retry(peer: Address, answered: () => void): void {
    this.#pushPull(peer, false, (why) => {
      if (why === undefined) answered();
    });
  }

  ping(member: Member, ping: Ping): void {
    this.#open(member, ping, { type: 'ping', seqNo: ping.seqNo });
  }

  sendUser(to: Address, payload: Bytes, command: number): void {
    this.#open(to, { type: 'user', payload }, { type: 'user', command });
  }

  accepted(id: StreamId, peer: Address): void {
    const { layers, profile } = this.#context.settings;
    const all = [...this.#streams.values()].filter(({ purpose }) => purpose === undefined);
    const same = all.filter((each) => equalBytes(each.peer.addr, peer.addr));
    const isStranger = this.#context.delegate.admits?.(peer.addr) === false;
    if (isStranger) this.#context.refuse('stranger');
    const isShut = isStranger || this.#gate.isShut(peer.addr, this.#context.now);
    if (isShut || all.length >= maxAccepted || same.length >= maxAcceptedOfSource) {
      this.#context.emit({ type: 'close', stream: id });
      return;
    }
    const reader = new StreamReader(layers, 'request');
    const atHeader = Math.min(headerTimeout, profile.streamTimeout);
    const timer = this.#context.after(atHeader, () => {
      if (reader.hasHeader) stream.timer = this.#context.after(profile.streamTimeout - atHeader, timeout);
      else timeout();
    });
    const timeout = (): void => this.#fail(id, 'timeout');
    const stream: Stream = { peer, reader, timer, purpose: undefined };
    this.#streams.set(id, stream);
  }

  received(id: StreamId, bytes: Bytes): void {
    const stream = this.#streams.get(id);
    const message = stream?.reader.push(bytes);
    if (stream === undefined || message === undefined) return;
    if (!message.ok) {
      this.#context.refuse(message.why);
      if (message.why === 'no-key-opens') this.#gate.failed(stream.peer.addr, this.#context.now);
      if (stream.purpose === undefined && message.why !== 'wrong-label') {
        this.#context.emit({ type: 'reply', stream: id, bytes: this.#reply({ type: 'error', error: message.why }) });
        this.#forget(id);
      } else this.#fail(id, message.why);
      return;
    }
    if (stream.purpose === undefined) this.#serve(id, stream.peer, message.value);
    else this.#answered(id, stream.purpose, message.value);
  }

  /** The request has left. A user message has no answer. */
  sent(id: StreamId): void {
    const purpose = this.#streams.get(id)?.purpose;
    if (purpose?.type !== 'user') return;
    this.#forget(id);
    this.#context.emit({ type: 'reply', stream: id, bytes: noBytes });
    this.#context.emit({ type: 'settled', command: purpose.command, error: undefined });
  }

  closed(id: StreamId, why: string): void {
    this.#fail(id, why, false);
  }

  /** Answers the request of a peer. */
  #serve(id: StreamId, peer: Address, message: StreamMessage): void {
    this.#forget(id);
    const reply = this.#answer(peer, message);
    if (reply === undefined) {
      this.#context.emit({ type: 'close', stream: id });
      return;
    }
    this.#context.emit({ type: 'reply', stream: id, bytes: this.#reply(reply) });
    if (message.type !== 'pushPull') return;
    const why = this.#merge(message);
    if (why !== undefined) this.#context.event({ type: 'exchangeFailed', with: peer, why });
  }

  #answer(peer: Address, message: StreamMessage): StreamMessage | undefined {
    switch (message.type) {
      case 'pushPull':
        return this.#table(message.join);
      case 'ping':
        return this.#pings.answer(message);
      case 'user': {
        const payload = new Uint8Array(message.payload);
        this.#context.event({ type: 'message', from: peer, payload, isReliable: true });
        return undefined;
      }
      case 'ack':
      case 'error':
        return undefined;
    }
  }

  /** Takes the answer to this node's request. */
  #answered(id: StreamId, purpose: Purpose, message: StreamMessage): void {
    if (message.type === 'error') {
      this.#fail(id, message.error);
      return;
    }
    if (purpose.type === 'pushPull' && message.type === 'pushPull') {
      this.#close(id);
      const why = this.#merge({ ...message, join: purpose.join });
      this.#done(purpose, why);
    } else if (purpose.type === 'ping' && message.type === 'ack' && message.seqNo === purpose.seqNo) {
      this.#close(id);
      this.#prober().answeredByTcp(purpose.seqNo);
    } else this.#fail(id, `unexpected answer: ${message.type}`);
  }

  /** Takes what a peer knows. Why not: nothing was taken. */
  #merge({ nodes, join, userState }: PushPull): string | undefined {
    const { delegate } = this.#context;
    const why =
      incompatibility([...this.#membership.all, ...nodes]) ?? (join ? delegate.refuseMerge?.(nodes) : undefined);
    if (why !== undefined) return why;
    for (const node of nodes) this.#membership.merge(node);
    if (userState.length > 0) delegate.mergeRemoteState?.(new Uint8Array(userState), join);
    return undefined;
  }

  #pushPull(to: Address, join: boolean, settle: Settle): void {
    this.#open(to, this.#table(join), { type: 'pushPull', join, settle });
  }

  #table(join: boolean): PushPull {
    const userState = this.#context.delegate.localState?.(join) ?? noBytes;
    return { type: 'pushPull', join, nodes: this.#membership.all.map(infoOf), userState };
  }

  #open(to: Address, message: StreamMessage, purpose: Purpose): void {
    const { layers, profile } = this.#context.settings;
    const id = this.#nextId;
    this.#nextId += 2;
    const timer = this.#context.after(profile.streamTimeout, () => this.#fail(id, 'timeout'));
    const peer = { addr: to.addr, port: to.port };
    this.#streams.set(id, { peer, reader: new StreamReader(layers, 'reply'), timer, purpose });
    this.#context.emit({ type: 'connect', stream: id, to: peer, bytes: encodeRequest(message, layers) });
  }

  #reply(message: StreamMessage): Bytes {
    return encodeReply(message, this.#context.settings.layers);
  }

  #fail(id: StreamId, why: string, isOpen = true): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    if (isOpen) this.#close(id);
    else this.#forget(id);
    if (stream.purpose !== undefined) this.#done(stream.purpose, why);
  }

  #done(purpose: Purpose, why: string | undefined): void {
    if (purpose.type === 'pushPull') purpose.settle(why);
    else if (purpose.type === 'user') this.#context.emit({ type: 'settled', command: purpose.command, error: why });
    else if (why === 'refused') this.#prober().refusedByTcp(purpose.seqNo);
    else this.#prober().failedByTcp(purpose.seqNo);
  }

  #close(id: StreamId): void {
    this.#forget(id);
    this.#context.emit({ type: 'close', stream: id });
  }

  #forget(id: StreamId): void {
    const stream = this.#streams.get(id);
    if (stream !== undefined) stream.timer.isCancelled = true;
    this.#streams.delete(id);
  }
}
