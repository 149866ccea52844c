import type { NetworkId } from '@causeway/model';
import { TokenBuckets } from '@causeway/runtime';
import { hashOf } from '../keys/hash.ts';
import { encodeVouched } from '../keys/vouched-key.ts';
import { decodeCompare, encodeState } from '../sync/compare.ts';
import type { NetworkTable } from '../table/network-table.ts';
import { type Bytes, Reader, Writer } from '../wire/bytes.ts';
import { maxBody, maxVector } from '../wire/limits.ts';
import { decodeDigest, decodePull, encodeBatches, encodeNumber, encodeVector, type Progress } from '../wire/message.ts';
import { isBehind, writePosition } from '../wire/position.ts';
import type { Context } from './context.ts';

/** Frames in the answer to one pull; the peer pulls again for more. */
const maxFrames = 16;

/** Bytes that a peer may make this host send. A small request may have a whole table as its answer. */
const answers = { burst: 8 * 1024 * 1024, perSecond: 1024 * 1024 };

/** What a node answers to the requests of peers. */
export class Answers {
  readonly #context: Context;
  readonly #budgets = new TokenBuckets(answers);
  readonly #proofs = new WeakMap<object, bigint>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** Short proof that two tables are equal; 0: the table has nothing yet. */
  proof({ head, position }: NetworkTable): bigint {
    if (head === undefined || position === undefined) return 0n;
    let proof = this.#proofs.get(head);
    if (proof === undefined) {
      const writer = new Writer().u64(position.epoch);
      writePosition(writer, position);
      proof = new Reader(hashOf(writer.raw(head.root).done())).u64();
      this.#proofs.set(head, proof);
    }
    return proof;
  }

  /** Tells the peer how far this node is in each network in which the two differ. False: malformed. */
  digest(from: string, body: Bytes): boolean {
    const digest = decodeDigest(body);
    const entries: Progress[] = [];
    for (const { network, proof } of digest ?? []) {
      const table = this.#context.tables.get(network);
      if (table !== undefined && this.proof(table) !== proof) entries.push({ network, position: table.position });
    }
    this.vector(from, entries, false);
    return digest !== undefined;
  }

  vector(to: string, entries: readonly Progress[], isAnswer: boolean): void {
    if (entries.length === 0) return;
    this.#context.outbox.send(to, 'vector', encodeVector({ isAnswer, entries: entries.slice(0, maxVector) }));
  }

  pull(from: string, body: Bytes, request: bigint): boolean {
    const asked = decodePull(body);
    if (asked === undefined) return false;
    const table = this.#context.tables.get(asked.network);
    if (table === undefined || !isBehind(asked.position, table.position)) this.#notAhead(from, asked.network);
    else {
      const { outbox, now } = this.#context;
      const batches = table.since(asked.position) ?? [];
      const frames = encodeBatches(
        request,
        batches.map(({ raw }) => raw),
        maxFrames,
      );
      if (frames.length === 0) outbox.send(from, 'floor', encodeNumber(request));
      else if (this.#affords(from, frames)) for (const frame of frames) outbox.sendPaced(from, 'batches', frame, now);
    }
    return true;
  }

  compare(from: string, body: Bytes, request: bigint): boolean {
    const asked = decodeCompare(body);
    if (asked === undefined) return false;
    const table = this.#context.tables.get(asked.network);
    if (table?.head === undefined || !isBehind(asked.position, table.position)) this.#notAhead(from, asked.network);
    else {
      const { live, head } = table;
      const rows = live.differing(asked.hashes).map((index) => [index, live.rowsIn(index)] as const);
      const buckets = new Map(rows.filter(([, all]) => all.length > 0));
      const state = encodeState({ request, head: head.raw, hashes: live.hashes(), buckets });
      if (this.#affords(from, [state])) this.#send(from, 'state', state);
    }
    return true;
  }

  keyWanted(from: string, body: Bytes): boolean {
    const reader = new Reader(body);
    const key = this.#context.keys.get(reader.id());
    if (key !== undefined) this.#send(from, 'key', encodeVouched(key));
    return reader.isDone;
  }

  /** The peer must not ask again. */
  #notAhead(to: string, network: NetworkId): void {
    this.vector(to, [{ network, position: this.#context.tables.get(network)?.position }], true);
  }

  #send(to: string, kind: 'state' | 'key', body: Bytes): void {
    this.#context.outbox.send(to, kind, body, body.length > maxBody);
  }

  #affords(to: string, frames: readonly Bytes[]): boolean {
    const { now } = this.#context;
    const budget = this.#budgets.of(to, now);
    if (!budget.take(now)) return false;
    budget.charge(
      frames.reduce((sum, { length }) => sum + length, 0),
      now,
    );
    return true;
  }
}
