import { type Ip, isGroup } from '@causeway/model';
import type { MessageWriter } from '@causeway/netlink';
import { chunkSize, type Failure, type Slice } from '@causeway/netlink/io';
import type { OpResult } from '../kernel.ts';
import type { Op } from '../op.ts';
import type { NetnsPath } from '../state.ts';
import { deleteFdb, deleteNeighbour, setFdb, setNeighbour, type WrittenEntry } from '../wire/index.ts';
import type { Namespaces } from './namespaces.ts';
import { failureOf, resultOf, succeeded } from './outcome.ts';

/** The ops that come by the thousand. */
export type EntryOp = Extract<Op, { op: 'neighbour.set' | 'neighbour.delete' | 'fdb.set' | 'fdb.delete' }>;

export function isEntryOp(op: Op): op is EntryOp {
  return op.op === 'neighbour.set' || op.op === 'neighbour.delete' || op.op === 'fdb.set' || op.op === 'fdb.delete';
}

/** One message: an op with its device looked up, and one of its targets where it has several. */
interface Entry {
  /** Of the op in its run. */
  readonly place: number;
  readonly op: EntryOp;
  readonly index: number;
  readonly target: 'port' | Ip | undefined;
}

export interface EntryParts {
  readonly namespaces: Namespaces;
  /** Called right after entries were written, before the event loop turns. */
  readonly onEntries: (netns: NetnsPath, written: readonly WrittenEntry[]) => void;
}

/** Ops of one namespace, in batches; the event loop turns between them. */
export async function applyEntries(parts: EntryParts, run: readonly EntryOp[], slice: Slice): Promise<OpResult[]> {
  const { namespaces } = parts;
  const results: OpResult[] = run.map(() => succeeded);
  const devices = new Devices(namespaces);
  for (let from = 0; from < run.length; from += chunkSize) {
    const entries: Entry[] = [];
    for (const [offset, op] of run.slice(from, from + chunkSize).entries()) {
      const index = devices.index(op.netns, op.dev);
      if (typeof index === 'number') addEntries(entries, from + offset, op, index);
      else results[from + offset] = resultOf(op.op, index);
    }
    for (const { place, op, failure } of send(parts, entries)) results[place] = resultOf(op.op, failure);
    await slice.breathe();
  }
  return results;
}

/** Looks each device of a run up once. */
class Devices {
  readonly #namespaces: Namespaces;
  readonly #known = new Map<string, number | Failure>();

  constructor(namespaces: Namespaces) {
    this.#namespaces = namespaces;
  }

  index(netns: NetnsPath, name: string): number | Failure {
    let index = this.#known.get(name);
    if (index === undefined) {
      index = this.#lookUp(netns, name);
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

function addEntries(entries: Entry[], place: number, op: EntryOp, index: number): void {
  if (!('target' in op)) entries.push({ place, op, index, target: undefined });
  else if (typeof op.target === 'string') entries.push({ place, op, index, target: op.target });
  else for (const target of op.target) entries.push({ place, op, index, target });
}

/** Those that failed. A batch that fails as a whole (no buffers, say) fails for each: reading shows what was taken. */
function send({ namespaces, onEntries }: EntryParts, entries: readonly Entry[]): (Entry & { failure: Failure })[] {
  const failed: (Entry & { failure: Failure })[] = [];
  for (let from = 0; from < entries.length; from += chunkSize) {
    const batch = entries.slice(from, from + chunkSize);
    const [first] = batch;
    if (first === undefined) break;
    try {
      const { socket } = namespaces.get(first.op.netns);
      const failures = socket.batch(batch, encode);
      for (const [at, failure] of failures) failed.push({ ...(batch[at] ?? first), failure });
      onEntries(first.op.netns, written(batch.filter((_, at) => !failures.has(at))));
    } catch (error) {
      const failure = failureOf(error);
      failed.push(...batch.map((entry) => ({ ...entry, failure })));
    }
  }
  return failed;
}

function encode(to: MessageWriter, { op, index, target }: Entry): void {
  if (op.op === 'neighbour.set') setNeighbour(to, index, op.ip, op.mac);
  else if (op.op === 'neighbour.delete') deleteNeighbour(to, index, op.ip);
  else if (target !== undefined) (op.op === 'fdb.set' ? setFdb : deleteFdb)(to, index, op.mac, target);
}

/** Several VTEPs of a group MAC are several entries with one key: of these, every event is news. */
function written(entries: readonly Entry[]): WrittenEntry[] {
  return entries.flatMap(({ op, index, target }): WrittenEntry[] => {
    if (op.op === 'neighbour.set') return [{ index, key: op.ip, state: op.mac }];
    if (op.op === 'neighbour.delete') return [{ index, key: op.ip, state: 'absent' }];
    if (target === undefined || isGroup(op.mac)) return [];
    return [{ index, key: op.mac, state: op.op === 'fdb.set' ? target : 'absent' }];
  });
}
