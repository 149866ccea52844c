import type { NetworkId } from '@causeway/model';
import { encodeState } from '../sync/compare.ts';
import { LiveSet } from '../table/live-set.ts';
import { type Batch, decodeBatch, encodeBatch } from '../wire/batch.ts';
import { decodeFrame, encodeFrame, type Kind } from '../wire/frame.ts';
import {
  decodeBatchMessage,
  decodePull,
  encodeAcks,
  encodeBatches,
  encodeBatchMessage,
  encodeNumber,
  encodeVector,
} from '../wire/message.ts';
import { lastStep } from '../wire/position.ts';
import { put } from './rows.ts';
import { cluster, type SimCluster } from './simulated-cluster.ts';
import type { Station } from './virtual-network.ts';

/**
 * A member that has the gossip key and no key of a manager. It acknowledges batches and passes none on, forges rows, replays what it
 * has recorded, claims to be ahead of everyone, answers questions with forged tables, and floods.
 */
export class Hostile implements Station {
  readonly name: string;
  isUp = true;
  nextWake = 0;
  readonly #cluster: SimCluster;
  readonly #target: NetworkId;
  readonly #batches: Batch[] = [];
  readonly #frames: Uint8Array[] = [];
  #counter = 0n;

  constructor(of: SimCluster, name: string, target: NetworkId) {
    this.#cluster = of;
    this.#target = target;
    this.name = name;
    of.listed.push({ name, isManager: false, isSuspect: false });
    of.network.attach(this);
    of.introduceAll();
  }

  receive(from: string, bytes: Uint8Array): void {
    const frame = decodeFrame(bytes);
    if (frame === undefined) return;
    this.#frames.push(bytes);
    const { kind, body, counter } = frame;
    if (kind === 'challenge') this.#send(from, 'hello', body);
    else if (kind === 'batch' || kind === 'ihave') {
      this.#send(from, 'ack', encodeAcks([{ counter, isRefused: false }]));
      const batch = kind === 'batch' ? decodeBatch(decodeBatchMessage(body)?.raw ?? body) : undefined;
      if (batch !== undefined) this.#batches.push(batch);
    } else if (kind === 'digest' || kind === 'vector') this.#claim(from);
    else if (kind === 'pull') this.#answerPull(from, body, counter);
    else if (kind === 'compare') this.#answerCompare(from, counter);
  }

  wake(now: number): void {
    const { random } = this.#cluster.network;
    this.nextWake = now + 50 + 100 * random.float();
    const to = this.#pick([...this.#cluster.hosts.keys()]);
    if (to === undefined) return;
    const old = this.#pick(this.#batches);
    switch (Math.floor(random.float() * 6)) {
      case 0:
        this.#batch(to, this.#forged(old).raw);
        return;
      case 1:
        // A replay, to be passed on to everyone.
        if (old !== undefined) this.#batch(to, old.raw);
        return;
      case 2: {
        const frame = this.#pick(this.#frames);
        if (frame !== undefined) this.#cluster.network.send(this.name, to, frame, false);
        return;
      }
      case 3:
        this.#claim(to);
        return;
      case 4: {
        // More than the host reads in a moment.
        const { raw } = this.#forged(old);
        for (let i = 0; i < 20; i++) this.#batch(to, raw);
        return;
      }
      case 5:
        this.#cluster.network.send(this.name, to, random.bytes(60).fill(0xc5, 0, 1).fill(1, 1, 2), false);
        return;
    }
  }

  /** A batch that would redirect an address, under the key of a manager or under its own. */
  #forged(old: Batch | undefined): Batch {
    const { random } = this.#cluster.network;
    const { epoch, revision } = this.#cluster.truth;
    const isCopy = random.float() < 0.5;
    const to = { epoch: isCopy ? epoch : epoch + 1n, revision: revision + 1n, step: lastStep };
    const changes = [put(1, { revision: revision + 1n })];
    const root = LiveSet.empty().with(changes).root;
    const from = old?.to ?? { epoch, revision: 0n, step: 0 };
    const keyId = old?.keyId ?? 'bad0bad0bad0bad0';
    return encodeBatch({ network: this.#target, from, to, root, changes, keyId }, cluster, () => random.bytes(64));
  }

  #claim(to: string): void {
    const position = { epoch: this.#cluster.truth.epoch + 7n, revision: 2n ** 60n, step: lastStep };
    this.#send(to, 'vector', encodeVector({ isAnswer: true, entries: [{ network: this.#target, position }] }));
  }

  #answerPull(to: string, body: Uint8Array, request: bigint): void {
    const { random } = this.#cluster.network;
    if (random.float() < 0.3 || decodePull(body) === undefined) {
      this.#send(to, 'floor', encodeNumber(request));
      return;
    }
    const old = this.#pick(this.#batches);
    for (const part of encodeBatches(request, [this.#forged(old).raw], 16)) this.#send(to, 'batches', part);
  }

  /** A genuine head with other rows, or a forged head with rows that fit. */
  #answerCompare(to: string, request: bigint): void {
    const live = LiveSet.empty().with([put(1), put(2)]);
    const old = this.#pick(this.#batches);
    const isGenuine = old !== undefined && this.#cluster.network.random.float() < 0.5;
    const head = isGenuine ? old : this.#forged(old);
    const rows = isGenuine ? live : LiveSet.empty().with(head.changes);
    const indexes = [...rows.hashes().keys()].map((index) => [index, rows.rowsIn(index)] as const);
    this.#send(
      to,
      'state',
      encodeState({ request, head: head.raw, hashes: rows.hashes(), buckets: new Map(indexes) }),
      true,
    );
  }

  #batch(to: string, raw: Uint8Array): void {
    const interval = { tree: 0, lo: 0, span: 2 ** 32 - 1 };
    this.#send(to, 'batch', encodeBatchMessage({ interval, raw }));
  }

  #send(to: string, kind: Kind, body: Uint8Array, isReliable = false): void {
    const frame = encodeFrame({ kind, boot: 0xbadn, counter: ++this.#counter, body });
    this.#cluster.network.send(this.name, to, frame, isReliable);
  }

  #pick<Item>(items: readonly Item[]): Item | undefined {
    return items[Math.floor(this.#cluster.network.random.float() * items.length)];
  }
}
