import type { NetworkId } from '@causeway/model';
import type { Why } from '../guard/refusals.ts';
import { Sessions } from '../guard/sessions.ts';
import { nameOf } from '../keys/hash.ts';
import { decodeVouched, keyIdOf } from '../keys/vouched-key.ts';
import { Multicast } from '../multicast/multicast.ts';
import { encodeCompare } from '../sync/compare.ts';
import { Repair } from '../sync/repair.ts';
import type { NetworkTable } from '../table/network-table.ts';
import { batchesTo } from '../table/publish.ts';
import { Writer } from '../wire/bytes.ts';
import { decodeFrame, type Frame } from '../wire/frame.ts';
import { maxBody } from '../wire/limits.ts';
import {
  decodeAcks,
  decodeBatches,
  decodeBatchMessage,
  decodeIhave,
  decodeNumber,
  decodeVector,
  encodeAcks,
  encodeBatchMessage,
  encodeNumber,
  encodePull,
  type Progress,
} from '../wire/message.ts';
import { comparePositions, isBehind } from '../wire/position.ts';
import { Acceptance } from './acceptance.ts';
import { Answers } from './answers.ts';
import { Context, type Parts, type Settings } from './context.ts';
import { Digests } from './digests.ts';
import type { Effect, Input } from './effect.ts';

/** The tables of a member: takes inputs and the time, returns effects, and touches nothing. */
export class TablesNode {
  readonly #context: Context;
  readonly #sessions: Sessions;
  readonly #repair: Repair;
  readonly #acceptance: Acceptance;
  readonly #answers: Answers;
  readonly #digests: Digests;
  readonly #multicast: Multicast;

  constructor(settings: Settings, parts: Parts, now: number) {
    const context = new Context(settings, parts, now);
    this.#context = context;
    this.#sessions = new Sessions(parts.random);
    this.#repair = new Repair(parts.random);
    this.#acceptance = new Acceptance(context, this.#repair);
    this.#answers = new Answers(context);
    this.#digests = new Digests(context, this.#answers);
    this.#multicast = new Multicast({
      self: settings.self,
      sendHop: (to, kind, body, at) => context.outbox.sendPaced(to, kind, body, at),
      sendGraft: (to, batch) => context.outbox.send(to, 'graft', new Writer().id(batch).done()),
      group: (network) => context.group(network),
    });
  }

  table(network: NetworkId): NetworkTable | undefined {
    return this.#context.tables.get(network);
  }

  /** How often something of a peer was refused, by peer and reason. */
  refusals(): ReadonlyMap<string, ReadonlyMap<Why, number>> {
    return this.#context.refusals.counts();
  }

  /** When the node wants a timer. */
  get nextWake(): number {
    const { outbox } = this.#context;
    return Math.min(this.#digests.nextWake, outbox.nextWake, this.#multicast.nextWake, this.#repair.nextWake);
  }

  step(input: Input, now: number): readonly Effect[] {
    const context = this.#context;
    context.now = now;
    this.#take(input);
    this.#multicast.timer(now);
    this.#digests.timer();
    this.#repair.next(now, (network, peer, question) => this.#ask(network, peer, question));
    const sent = context.outbox.take(now).map((each) => ({ type: 'send', ...each }) as const);
    const effects = [...context.effects, ...sent];
    context.effects = [];
    return effects;
  }

  #take(input: Input): void {
    const context = this.#context;
    switch (input.type) {
      case 'timer':
        return;
      case 'frame':
        this.#frame(input.from, input.bytes);
        return;
      case 'peers': {
        context.peers = new Map(input.peers.map((peer) => [peer.name, peer]));
        const names = new Set(context.peers.keys());
        this.#sessions.keep(names);
        this.#repair.keep(names);
        this.#acceptance.keep(names);
        this.#multicast.hops.keep(names, context.now);
        return;
      }
      case 'follow':
        context.follow(input.network);
        this.#digests.news();
        return;
      case 'unfollow':
        context.tables.delete(input.network);
        this.#repair.forget(input.network);
        return;
      case 'key':
        context.keys.add(input.key, input.key);
        return;
      case 'managerRemoved':
        context.keys.forget(input.manager);
        return;
      case 'publish':
        this.#publish(input);
        return;
    }
  }

  #publish({ network, ...target }: Extract<Input, { type: 'publish' }>): void {
    const context = this.#context;
    const { signer } = context.parts;
    if (signer === undefined) throw new TypeError('only a manager publishes');
    const table = context.follow(network);
    const before = context.group(network);
    const start = table.live;
    const batches = batchesTo(table, target, context.settings.cluster, signer);
    for (const batch of batches) if (table.offer(batch).type !== 'applied') table.install(batch, target.live);
    if (batches.length === 0) return;
    this.#acceptance.changed(table, table.live.changesSince(start));
    this.#digests.news();
    // Nodes whose last row goes get the removal, too.
    const names = new Set(before.map(({ name }) => name));
    const group = [...before, ...context.group(network).filter(({ name }) => !names.has(name))];
    for (const { raw } of batches) this.#multicast.originate({ id: nameOf(raw), network, raw }, group, context.now);
  }

  #frame(from: string, bytes: Uint8Array): void {
    const { peers, refusals, now, effects } = this.#context;
    const why = peers.has(from) ? refusals.admits(from, now) : 'unknown-peer';
    if (why !== undefined) {
      effects.push({ type: 'refused', from, why });
      return;
    }
    const frame = decodeFrame(bytes);
    if (frame === undefined || !this.#handle(from, frame)) this.#refuse(from, 'malformed');
  }

  /** False: the body is malformed. */
  #handle(from: string, frame: Frame): boolean {
    const { body, counter } = frame;
    switch (frame.kind) {
      case 'challenge':
        return this.#challenged(from, body);
      case 'hello':
        return this.#hello(from, frame);
      case 'batch':
        return this.#batch(from, frame);
      case 'batches':
        return this.#batches(from, frame);
      case 'ack':
        return this.#acked(from, frame);
      case 'ihave':
        return this.#ihave(from, frame);
      case 'floor':
        return this.#floor(from, frame);
      case 'state':
        this.#acceptance.state(from, body);
        this.#digests.news();
        return true;
      case 'key':
        return this.#key(from, frame);
      case 'digest':
        return this.#answers.digest(from, body);
      case 'vector':
        return this.#vector(from, frame);
      case 'pull':
        return !this.#isFresh(from, frame) || this.#answers.pull(from, body, counter);
      case 'compare':
        return !this.#isFresh(from, frame) || this.#answers.compare(from, body, counter);
      case 'graft':
        return !this.#isFresh(from, frame) || this.#graft(from, frame);
      case 'keyWanted':
        return !this.#isFresh(from, frame) || this.#answers.keyWanted(from, body);
    }
  }

  /** Whether a request is not the repetition of an older one. If that is unknown, the peer is asked to prove its boot. */
  #isFresh(from: string, frame: Frame): boolean {
    const verdict = this.#sessions.accept(from, frame);
    if (verdict === 'fresh') return true;
    if (verdict === 'replayed') this.#refuse(from, verdict);
    this.#context.outbox.send(from, 'challenge', encodeNumber(this.#sessions.challenge(from)));
    return false;
  }

  #challenged(from: string, body: Uint8Array): boolean {
    const number = decodeNumber(body);
    if (number === undefined) return false;
    this.#context.outbox.send(from, 'hello', encodeNumber(number));
    this.#repair.again(from);
    this.#acceptance.again(from);
    return true;
  }

  #hello(from: string, frame: Frame): boolean {
    const number = decodeNumber(frame.body);
    if (number !== undefined) this.#sessions.answered(from, frame, number);
    return number !== undefined;
  }

  #batch(from: string, { body, counter }: Frame): boolean {
    const message = decodeBatchMessage(body);
    if (message === undefined) return false;
    const { interval, raw } = message;
    const id = nameOf(raw);
    const recent = this.#multicast.recent(id);
    if (recent !== undefined) {
      this.#acknowledge(from, counter, false);
      this.#multicast.arrived(recent, interval, this.#context.now);
      return true;
    }
    const accepted = this.#acceptance.batch(from, raw);
    if (accepted === undefined) return true;
    const { batch, outcome } = accepted;
    const { network } = batch;
    // A host without the table knows no group, so another member has to pass the batch on.
    const passesOn =
      outcome !== 'not-followed' && outcome.type !== 'stale' && this.table(network)?.position !== undefined;
    this.#acknowledge(from, counter, !passesOn);
    if (!passesOn) {
      this.#multicast.forget(id);
      return true;
    }
    this.#digests.news();
    this.#multicast.arrived({ id, network, raw: batch.raw }, interval, this.#context.now);
    return true;
  }

  #acknowledge(to: string, counter: bigint, isRefused: boolean): void {
    this.#context.outbox.send(to, 'ack', encodeAcks([{ counter, isRefused }]));
  }

  #acked(from: string, { body }: Frame): boolean {
    const acks = decodeAcks(body);
    for (const { counter, isRefused } of acks ?? [])
      this.#multicast.hops.acknowledged(from, counter, isRefused, this.#context.now);
    return acks !== undefined;
  }

  #ihave(from: string, { body, counter }: Frame): boolean {
    const message = decodeIhave(body);
    if (message === undefined) return false;
    const passesOn = this.table(message.network)?.position !== undefined;
    this.#acknowledge(from, counter, !passesOn);
    if (passesOn) this.#multicast.promised(from, message, this.#context.now);
    return true;
  }

  #graft(from: string, { body }: Frame): boolean {
    if (body.length !== 8) return false;
    const item = this.#multicast.recent(Array.from(body, (byte) => byte.toString(16).padStart(2, '0')).join(''));
    if (item === undefined) return true;
    const answer = encodeBatchMessage({ interval: undefined, raw: item.raw });
    this.#context.outbox.sendPaced(from, 'batch', answer, this.#context.now);
    return true;
  }

  #vector(from: string, { body }: Frame): boolean {
    const vector = decodeVector(body);
    const news: Progress[] = [];
    for (const { network, position } of vector?.entries ?? []) {
      const table = this.table(network);
      if (table === undefined) continue;
      if (isBehind(table.position, position)) this.#repair.claimed(network, from, position as never, table.position);
      else this.#repair.disclaimed(network, from);
      if (isBehind(position, table.position)) news.push({ network, position: table.position });
    }
    if (vector?.isAnswer === false) this.#answers.vector(from, news, true);
    return vector !== undefined;
  }

  #batches(from: string, { body }: Frame): boolean {
    const message = decodeBatches(body);
    if (message === undefined) return false;
    const asked = this.#repair.asked(from, message.request);
    const before = asked && this.table(asked.network)?.position;
    for (const raw of message.raws) this.#acceptance.batch(from, raw);
    const after = asked && this.table(asked.network)?.position;
    if (asked === undefined) return true;
    const isForward = after !== undefined && (before === undefined || comparePositions(before, after) < 0);
    if (message.isLast) this.#repair.answered(asked.network, from, isForward, this.#context.now);
    return true;
  }

  #floor(from: string, { body }: Frame): boolean {
    const request = decodeNumber(body);
    const asked = request === undefined ? undefined : this.#repair.asked(from, request);
    if (asked !== undefined) this.#repair.atFloor(asked.network, from);
    return request !== undefined;
  }

  #key(from: string, { body }: Frame): boolean {
    const vouched = decodeVouched(body);
    if (vouched === undefined) return false;
    if (!this.#acceptance.key(from, keyIdOf(vouched))) {
      this.#refuse(from, 'unasked');
      return true;
    }
    const key = this.#context.parts.verifyKey(vouched);
    if (key.ok) this.#context.keys.add(key.value, vouched);
    else this.#refuse(from, 'bad-key');
    return true;
  }

  #ask(network: NetworkId, peer: string, question: 'pull' | 'compare'): bigint {
    const { outbox } = this.#context;
    const table = this.#context.follow(network);
    const progress = { network, position: table.position };
    if (question === 'pull') return outbox.send(peer, 'pull', encodePull(progress));
    this.#acceptance.comparing(table);
    const body = encodeCompare({ ...progress, hashes: table.live.hashes() });
    return outbox.send(peer, 'compare', body, body.length > maxBody);
  }

  #refuse(from: string, why: Why): void {
    this.#context.refuse(from, why);
  }
}
