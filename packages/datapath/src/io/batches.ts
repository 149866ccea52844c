import { chunkSize, type Failure, type Slice } from '@causeway/netlink/io';
import type { OpResult } from '../kernel.ts';
import type { Batch } from '../kinds/kind.ts';
import { kindOf, type Op } from '../kinds/table.ts';
import type { NetnsPath } from '../state.ts';
import type { WrittenEntry } from '../wire/own-entries.ts';
import type { Namespaces } from './namespaces.ts';
import { failureOf, resultOf, succeeded } from './outcome.ts';

/** How an op is sent in batches; undefined: it is applied by itself. */
export function batchOf(op: Op): Batch<Op> | undefined {
  return kindOf(op)?.real.batch;
}

/** One message: an op, or a part of an op that needs several messages, with the index of its device. */
interface Message {
  /** The position of the op in its run. */
  readonly place: number;
  readonly op: Op;
  readonly batch: Batch<Op>;
  readonly index: number;
}

export interface BatchParts {
  readonly namespaces: Namespaces;
  /** Called right after entries were written, before the event loop turns. */
  readonly onEntries: (netns: NetnsPath, written: readonly WrittenEntry[]) => void;
}

/** Applies ops of one namespace and protocol in batches. The event loop turns between batches. */
export async function applyBatches(parts: BatchParts, run: readonly Op[], slice: Slice): Promise<OpResult[]> {
  const results: OpResult[] = run.map(() => succeeded);
  const devices = new Devices(parts.namespaces);
  for (let from = 0; from < run.length; from += chunkSize) {
    const messages: Message[] = [];
    for (const [offset, op] of run.slice(from, from + chunkSize).entries()) {
      const index = devices.index(op);
      if (typeof index === 'number') addMessages(messages, from + offset, op, index);
      else results[from + offset] = resultOf(op, index);
    }
    for (const { place, op, failure } of send(parts, messages)) results[place] = resultOf(op, failure);
    await slice.maybeYield();
  }
  return results;
}

/** Looks up each device of a run once. */
class Devices {
  readonly #namespaces: Namespaces;
  readonly #known = new Map<string, number | Failure>();

  constructor(namespaces: Namespaces) {
    this.#namespaces = namespaces;
  }

  /** 0: the op is about no device. */
  index(op: Op): number | Failure {
    const name = kindOf(op)?.device(op);
    if (name === undefined) return 0;
    let index = this.#known.get(name);
    if (index === undefined) {
      index = this.#lookUp(op.netns, name);
      this.#known.set(name, index);
    }
    return index;
  }

  #lookUp(netns: NetnsPath, name: string): number | Failure {
    try {
      return this.#namespaces.linkIndex(netns, name);
    } catch (error) {
      return failureOf(error);
    }
  }
}

function addMessages(messages: Message[], place: number, op: Op, index: number): void {
  const batch = batchOf(op);
  if (batch !== undefined) for (const part of batch.split(op)) messages.push({ place, op: part, batch, index });
}

/**
 * Returns the failed messages. If a whole batch fails (no buffers, say), each message fails: a read shows what was
 * applied.
 */
function send({ namespaces, onEntries }: BatchParts, messages: readonly Message[]): (Message & { failure: Failure })[] {
  const failed: (Message & { failure: Failure })[] = [];
  for (let from = 0; from < messages.length; from += chunkSize) {
    const chunk = messages.slice(from, from + chunkSize);
    const [first] = chunk;
    if (first === undefined) break;
    const { netns } = first.op;
    try {
      const socket = namespaces.socket(netns, kindOf(first.op)?.real.protocol ?? 0);
      const failures = socket.batch(chunk, (to, { batch, index, op }) => batch.encode(to, index, op));
      for (const [at, failure] of failures) failed.push({ ...(chunk[at] ?? first), failure });
      onEntries(netns, written(chunk.filter((_, at) => !failures.has(at))));
    } catch (error) {
      const failure = failureOf(error);
      for (const message of chunk) failed.push({ ...message, failure });
    }
  }
  return failed;
}

function written(messages: readonly Message[]): WrittenEntry[] {
  const entries: WrittenEntry[] = [];
  for (const { batch, index, op } of messages) {
    const entry = batch.written(index, op);
    if (entry !== undefined) entries.push(entry);
  }
  return entries;
}
