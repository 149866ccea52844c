import { CausewayError } from '@causeway/model';
import { milliseconds, seconds } from '@causeway/runtime';
import { FakeClock } from '@causeway/runtime/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Change, follow } from './watching.ts';

interface Item {
  readonly id: string;
  readonly content: number;
}

type Write = { readonly id: string; readonly content: number | undefined };

/** The course of one connection. */
interface Connection {
  /** Revisions that are written before the connection. */
  readonly writes: readonly (readonly Write[])[];
  /** The connection breaks before the message with this number. */
  readonly breaks: number;
  /** The managers remember only this many of the newest revisions. */
  readonly remembered: number;
}

type Message = { type: string; item: Item | undefined; revision: bigint; more: boolean; epoch: bigint };

/** Managers that remember some revisions, and connections to them that break. */
class Managers {
  readonly #revisions: Map<string, Item>[] = [new Map()];

  get list(): Item[] {
    return [...(this.#revisions.at(-1)?.values() ?? [])];
  }

  write(writes: readonly Write[]): void {
    const next = new Map(this.#revisions.at(-1));
    for (const { id, content } of writes) {
      if (content === undefined) next.delete(id);
      else next.set(id, { id, content });
    }
    this.#revisions.push(next);
  }

  *open(from: bigint, remembered: number): Generator<Message> {
    const now = this.#revisions.length;
    const message = (type: string, item: Item | undefined, revision: number, more: boolean): Message => {
      return { type, item, revision: BigInt(revision), more, epoch: 1n };
    };
    if (from === 0n) {
      for (const item of this.list) yield message('ADDED', item, now, true);
      yield message('BOOKMARK', undefined, now, false);
      return;
    }
    if (now - Number(from) > remembered) throw new CausewayError('revision-compacted', 'list again');
    yield message('BOOKMARK', undefined, Number(from), false);
    for (let revision = Number(from) + 1; revision <= now; revision++) {
      const changes = [...this.#changes(revision)];
      for (const [i, [type, item]] of changes.entries()) yield message(type, item, revision, i < changes.length - 1);
    }
  }

  *#changes(revision: number): Generator<[type: string, item: Item]> {
    const before = this.#revisions[revision - 2] ?? new Map<string, Item>();
    const after = this.#revisions[revision - 1] ?? new Map<string, Item>();
    for (const item of after.values()) {
      const was = before.get(item.id);
      if (was?.content !== item.content) yield [was === undefined ? 'ADDED' : 'MODIFIED', item];
    }
    for (const item of before.values()) if (!after.has(item.id)) yield ['REMOVED', item];
  }
}

/** All changes over these connections. After them, one more connection delivers everything. */
async function tell(connections: readonly Connection[], from?: bigint) {
  const managers = new Managers();
  const done = new AbortController();
  const left = [...connections];
  const clock = new FakeClock();
  const changes: Change<Item>[] = [];
  async function* open({ revision }: { revision: bigint }): AsyncGenerator<Message> {
    const connection = left.shift();
    for (const writes of connection?.writes ?? []) managers.write(writes);
    let count = 0;
    for (const message of managers.open(revision, connection?.remembered ?? Number.POSITIVE_INFINITY)) {
      if (count++ === connection?.breaks) break;
      yield message;
    }
    if (connection !== undefined) throw new CausewayError('manager-unavailable', 'the connection broke');
    done.abort();
  }
  const begun = from === undefined ? {} : { from };
  const all = follow(open, { ...begun, clock, patience: seconds(60), signal: done.signal });
  const reading = (async () => {
    for await (const change of all) changes.push(change);
  })();
  await clock.until(reading, seconds(600));
  return { changes, managers };
}

/** Applies the changes, each of which must be new. */
function apply(changes: readonly Change<Item>[]): Item[] {
  const copy = new Map<string, Item>();
  let revision = 0n;
  for (const change of changes) {
    expect(change.revision).toBeGreaterThanOrEqual(revision);
    revision = change.revision;
    if (change.type === 'BOOKMARK') continue;
    const { id } = change.item;
    expect(copy.has(id)).toBe(change.type !== 'ADDED');
    if (change.type === 'MODIFIED') expect(copy.get(id)).not.toEqual(change.item);
    if (change.type === 'REMOVED') copy.delete(id);
    else copy.set(id, change.item);
  }
  return [...copy.values()];
}

const byId = (a: Item, b: Item): number => (a.id < b.id ? -1 : 1);
const write: fc.Arbitrary<Write> = fc.record({
  id: fc.constantFrom('a', 'b', 'c', 'd'),
  content: fc.option(fc.nat(2), { nil: undefined }),
});
const connection: fc.Arbitrary<Connection> = fc.record({
  writes: fc.array(fc.array(write, { maxLength: 4 }), { maxLength: 4 }),
  breaks: fc.nat(8),
  remembered: fc.constantFrom(1, 3, 1_000),
});

describe('a watch over connections that break', () => {
  test('reports every change once and in order, also when streams break and managers forget changes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(connection, { maxLength: 10 }), async (connections) => {
        const { changes, managers } = await tell(connections);
        expect(apply(changes).sort(byId)).toEqual(managers.list.sort(byId));
      }),
    );
  });

  const put = (id: string, content: number): Write => ({ id, content });

  test('a revision that was interrupted is reported once, when it is complete', async () => {
    const { changes } = await tell([
      { writes: [[put('a', 1)]], breaks: 9, remembered: 9 },
      { writes: [[put('b', 1), put('c', 1)]], breaks: 2, remembered: 9 },
    ]);
    expect(changes.map((change) => [change.type, change.type === 'BOOKMARK' ? '' : change.item.id].join(' '))).toEqual([
      'ADDED a',
      'BOOKMARK ',
      'ADDED b',
      'ADDED c',
    ]);
  });

  test('forgotten changes are replaced by a new list, and only the differences are reported', async () => {
    const { changes } = await tell([
      { writes: [[put('a', 1), put('b', 1), put('c', 1)]], breaks: 9, remembered: 9 },
      { writes: [[put('a', 2)], [{ id: 'b', content: undefined }], [put('d', 1)]], breaks: 9, remembered: 1 },
    ]);
    expect(
      changes.slice(4).map((change) => [change.type, change.type === 'BOOKMARK' ? '' : change.item.id].join(' ')),
    ).toEqual(['MODIFIED a', 'ADDED d', 'REMOVED b', 'BOOKMARK ']);
  });

  test('a watch from a revision ends with an error when the managers have forgotten the revision: the state at that revision is unknown', async () => {
    const forgotten: Connection = { writes: [[], [], [], []], breaks: 9, remembered: 1 };
    await expect(tell([forgotten], 2n)).rejects.toMatchObject({ code: 'revision-compacted' });
  });

  test('what the managers refuse ends it; that none answers, when patience is over', async () => {
    const clock = new FakeClock();
    const failing = (error: CausewayError) => {
      // biome-ignore lint/correctness/useYield: fails before its first item.
      const open = async function* (): AsyncGenerator<Message> {
        throw error;
      };
      return follow(open, { clock, patience: seconds(5), signal: new AbortController().signal }).next();
    };
    await expect(failing(new CausewayError('network-unknown', 'no'))).rejects.toMatchObject({
      code: 'network-unknown',
    });
    const begun = clock.now();
    const unavailable = failing(new CausewayError('manager-unavailable', 'no'));
    await expect(clock.until(unavailable, seconds(60))).rejects.toMatchObject({ code: 'manager-unavailable' });
    expect(clock.now() - begun).toBeGreaterThanOrEqual(milliseconds(5_000));
  });
});
