import type { NetworkId } from '@causeway/model';
import { decodeState, type State } from '../sync/compare.ts';
import type { Repair } from '../sync/repair.ts';
import type { LiveSet } from '../table/live-set.ts';
import { rootOf } from '../table/live-set.ts';
import type { NetworkTable, Outcome } from '../table/network-table.ts';
import { type Batch, decodeBatch } from '../wire/batch.ts';
import { type Bytes, equalBytes, Writer } from '../wire/bytes.ts';
import { isBehind } from '../wire/position.ts';
import type { RowChange } from '../wire/row.ts';
import type { Context } from './context.ts';

/** A peer is asked for keys at most this often: what it sends with unknown keys may be forged. */
const keyPatience = 200;

/** The only way into a table: verified batches, and whole tables that a verified batch proves. */
export class Acceptance {
  readonly #context: Context;
  readonly #repair: Repair;
  /** The key that each peer was asked for. */
  readonly #wanted = new Map<string, { readonly id: string; readonly at: number }>();
  /** What the table had when a peer was asked to compare. */
  readonly #compared = new Map<NetworkId, LiveSet>();

  constructor(context: Context, repair: Repair) {
    this.#context = context;
    this.#repair = repair;
  }

  /** Undefined: the batch is refused, and counted. */
  batch(from: string, raw: Bytes): { readonly batch: Batch; readonly outcome: Outcome | 'not-followed' } | undefined {
    const context = this.#context;
    const batch = decodeBatch(raw);
    if (batch === undefined) return this.#refuse(from, 'malformed');
    const table = context.tables.get(batch.network);
    if (table === undefined) return { batch, outcome: 'not-followed' };
    if (!isBehind(table.position, batch.to)) {
      const isOldEpoch = batch.to.epoch !== table.position?.epoch;
      context.refuse(from, isOldEpoch ? 'wrong-epoch' : 'stale');
      return { batch, outcome: { type: 'stale' } };
    }
    if (!this.#isTrusted(from, batch)) return undefined;
    const outcome = table.offer(batch);
    if (outcome.type === 'applied') this.changed(table, outcome.changes);
    else {
      this.#repair.claimed(batch.network, from, batch.to, table.position);
      if (outcome.type === 'diverged') this.#repair.mustCompare(batch.network);
    }
    return { batch, outcome };
  }

  /** A peer is asked to compare: what it answers is measured against these rows. */
  comparing({ network, live }: NetworkTable): void {
    this.#compared.set(network, live);
  }

  /** The answer to a comparison. */
  state(from: string, body: Bytes): void {
    const state = decodeState(body);
    const asked = state && this.#repair.asked(from, state.request);
    const table = asked && this.#context.tables.get(asked.network);
    const base = asked && this.#compared.get(asked.network);
    if (state === undefined || table === undefined || base === undefined) {
      this.#context.refuse(from, state === undefined ? 'malformed' : 'unasked');
      return;
    }
    const changes = this.#proved(from, state, table, base);
    this.#repair.answered(table.network, from, changes !== undefined, this.#context.now);
    if (changes !== undefined) this.changed(table, changes);
  }

  /** What the state changes in the table; undefined: it proves nothing. */
  #proved(from: string, state: State, table: NetworkTable, base: LiveSet): readonly RowChange[] | undefined {
    const head = decodeBatch(state.head);
    if (head?.network !== table.network || !equalBytes(rootOf(state.hashes), head.root))
      return this.#refuse(from, 'forged-state');
    if (!this.#isTrusted(from, head)) return undefined;
    const buckets = base.differing(state.hashes).map((index) => [index, state.buckets.get(index) ?? []] as const);
    return table.install(head, base.withBuckets(new Map(buckets))) ?? this.#refuse(from, 'forged-state');
  }

  changed(table: NetworkTable, changes: readonly RowChange[]): void {
    const { network, position } = table;
    this.#repair.reached(network, position);
    if (position !== undefined) this.#context.effects.push({ type: 'changed', network, position, changes });
  }

  key(from: string, id: string): boolean {
    if (this.#wanted.get(from)?.id !== id) return false;
    this.#wanted.delete(from);
    return true;
  }

  /** The peer did not know this host, and now does: it is asked for the key again. */
  again(peer: string): void {
    const wanted = this.#wanted.get(peer);
    if (wanted !== undefined) this.#context.outbox.send(peer, 'keyWanted', new Writer().id(wanted.id).done());
  }

  keep(peers: ReadonlySet<string>): void {
    for (const peer of this.#wanted.keys()) if (!peers.has(peer)) this.#wanted.delete(peer);
  }

  #isTrusted(from: string, batch: Batch): boolean {
    const { keys, parts, tables } = this.#context;
    const why = keys.distrust(batch, parts.wall());
    if (why === undefined) return true;
    this.#refuse(from, why);
    if (why === 'unknown-key') {
      this.#want(from, batch.keyId);
      // What follows when the key is here.
      this.#repair.claimed(batch.network, from, batch.to, tables.get(batch.network)?.position);
    }
    return false;
  }

  #want(from: string, id: string): void {
    const { now, outbox } = this.#context;
    if (now - (this.#wanted.get(from)?.at ?? Number.NEGATIVE_INFINITY) < keyPatience) return;
    this.#wanted.set(from, { id, at: now });
    outbox.send(from, 'keyWanted', new Writer().id(id).done());
  }

  #refuse(from: string, why: Parameters<Context['refuse']>[1]): undefined {
    this.#context.refuse(from, why);
    return undefined;
  }
}
