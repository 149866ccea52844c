import type { Ip } from '@causeway/model';
import type { OpResult } from '../kernel.ts';
import type { Op } from '../op.ts';
import { deleteFdb, deleteNeighbour, type MessageWriter, setFdb, setNeighbour } from '../wire/index.ts';
import type { Namespaces, OpenNamespace } from './namespaces.ts';
import { failureOf, resultOf, succeeded } from './outcome.ts';
import type { Slice } from './slice.ts';
import { chunkSize, type Failure } from './socket.ts';

/** The ops that come by the thousand, one kernel message each. */
export type EntryOp = Extract<Op, { op: 'neighbour.set' | 'neighbour.delete' | 'fdb.set' | 'fdb.delete' }>;

export function isEntryOp(op: Op): op is EntryOp {
  return op.op === 'neighbour.set' || op.op === 'neighbour.delete' || op.op === 'fdb.set' || op.op === 'fdb.delete';
}

/** One message: an op with its device looked up, and one of its targets where it has several. */
interface Entry {
  /** Place in the run. */
  readonly place: number;
  readonly op: EntryOp;
  readonly index: number;
  readonly target: 'port' | Ip | undefined;
}

/** Ops of one namespace, in batches; the event loop turns between them. */
export async function applyEntries(namespaces: Namespaces, run: readonly EntryOp[], slice: Slice): Promise<OpResult[]> {
  const results: OpResult[] = run.map(() => succeeded);
  const entries = resolve(namespaces, run, results);
  for (let from = 0; from < entries.length; from += chunkSize) {
    const chunk = entries.slice(from, from + chunkSize);
    const { netns } = (chunk[0] as Entry).op;
    for (const [at, failure] of sendChunk(namespaces.get(netns), chunk)) {
      const { place, op } = chunk[at] as Entry;
      results[place] = resultOf(op.op, failure);
    }
    await slice.breathe();
  }
  return results;
}

function sendChunk(namespace: OpenNamespace, chunk: readonly Entry[]): Map<number, Failure> {
  try {
    return namespace.socket.batch(chunk, encodeEntry);
  } catch (error) {
    // The batch as a whole: no buffers, say. What of it the kernel took, the next reading will show.
    const failure = failureOf(error);
    return new Map(chunk.map((_, at) => [at, failure]));
  }
}

/** Looks each device up once. Ops whose device or namespace is missing have their result already. */
function resolve(namespaces: Namespaces, run: readonly EntryOp[], results: OpResult[]): Entry[] {
  const indexes = new Map<string, number | KernelFailure>();
  const entries: Entry[] = [];
  for (const [place, op] of run.entries()) {
    let index = indexes.get(op.dev);
    if (index === undefined) {
      index = lookUp(namespaces, op);
      indexes.set(op.dev, index);
    }
    if (typeof index !== 'number') {
      results[place] = resultOf(op.op, index.error);
      continue;
    }
    if (!('target' in op)) entries.push({ place, op, index, target: undefined });
    else if (typeof op.target === 'string') entries.push({ place, op, index, target: op.target });
    else for (const target of op.target) entries.push({ place, op, index, target });
  }
  return entries;
}

interface KernelFailure {
  readonly error: unknown;
}

function lookUp(namespaces: Namespaces, op: EntryOp): number | KernelFailure {
  try {
    return namespaces.linkIndex(op.netns, op.dev);
  } catch (error) {
    return { error };
  }
}

function encodeEntry(to: MessageWriter, { op, index, target }: Entry): void {
  if (op.op === 'neighbour.set') setNeighbour(to, index, op.ip, op.mac);
  else if (op.op === 'neighbour.delete') deleteNeighbour(to, index, op.ip);
  else if (target !== undefined) (op.op === 'fdb.set' ? setFdb : deleteFdb)(to, index, op.mac, target);
}
