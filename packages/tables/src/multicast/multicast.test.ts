import type { NetworkId } from '@causeway/model';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { network } from '../testing/rows.ts';
import { decodeBatchMessage, decodeIhave, type Interval } from '../wire/message.ts';
import { contains, type GroupMember, partsOf, ringPosition, trees, wholeRing } from './interval.ts';
import { Multicast } from './multicast.ts';

const names = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `node-${i}`);
const members = (all: readonly string[]): readonly GroupMember[] => all.map((name) => ({ name, isSuspect: false }));

/** Who gets a batch, how often, and after how many hops at most, if each host knows these members. */
function spread(origin: string, tree: number, known: (name: string) => readonly string[]): Map<string, number[]> {
  const got = new Map<string, number[]>();
  const pass = (self: string, interval: Interval, hops: number): void => {
    for (const part of partsOf(members(known(self)), interval, self)) {
      const [to = ''] = part.candidates;
      got.set(to, [...(got.get(to) ?? []), hops]);
      pass(to, part.interval, hops + 1);
    }
  };
  pass(origin, wholeRing(tree, origin), 1);
  return got;
}

describe('a tree', () => {
  it.each([
    [2, 1],
    [5, 1],
    [50, 3],
    [200, 4],
  ])('reaches %i members, each once, in %i hops', (count, most) => {
    const all = names(count);
    for (const tree of trees) {
      const got = spread('node-0', tree, () => all);
      expect([...got.keys()].sort()).toEqual(all.slice(1).sort());
      expect([...got.values()].filter((times) => times.length !== 1)).toEqual([]);
      expect(Math.max(...[...got.values()].flat())).toBeLessThanOrEqual(most);
    }
  });

  it('reaches a member that only those know who get its part', () => {
    const all = names(50);
    const missing = 0.9;
    const views = new Map(all.map((name, i) => [name, all.filter((_, j) => (i * 31 + j * 17) % 10 < 10 * missing)]));
    const got = new Set(trees.flatMap((tree) => [...spread('node-0', tree, (name) => views.get(name) ?? []).keys()]));
    expect(got.size).toBeGreaterThan(45);
  });

  it('asks members that are suspected last', () => {
    const group = names(8).map((name, i) => ({ name, isSuspect: i % 2 === 0 }));
    for (const { candidates } of partsOf(group, wholeRing(0, 'x'), 'x')) {
      const suspects = candidates.map((name) => Number(name.slice(5)) % 2 === 0);
      expect(suspects).toEqual([...suspects].sort());
    }
  });
});

test('an interval contains its parts, and no interval of the other tree', () => {
  fc.assert(
    fc.property(
      fc.nat(2 ** 32 - 1),
      fc.integer({ min: 1, max: 2 ** 32 - 1 }),
      fc.integer({ min: 1, max: 40 }),
      (lo, span, count) => {
        const interval = { tree: 0, lo, span };
        for (const part of partsOf(members(names(count)), interval, 'x')) {
          expect(contains(interval, part.interval)).toBe(true);
          expect(contains({ ...interval, tree: 1 }, part.interval)).toBe(false);
          for (const name of part.candidates)
            expect((ringPosition(0, name) - part.interval.lo + 2 ** 32) % 2 ** 32).toBeLessThan(part.interval.span);
        }
      },
    ),
  );
});

describe('a hop', () => {
  /** A host with one other member in each of up to four parts, and a log of what it sends. */
  function host(group: readonly string[], size = 100) {
    const sent: string[] = [];
    let counter = 0n;
    const multicast = new Multicast({
      self: 'self',
      group: () => members(group),
      sendGraft: (to, batch) => sent.push(`graft ${batch} from ${to}`),
      sendHop: (to, kind, body, now) => {
        const interval = kind === 'batch' ? decodeBatchMessage(body)?.interval : decodeIhave(body)?.interval;
        sent.push(`${now} ${kind} by tree ${interval?.tree} to ${to}`);
        return { counter: ++counter, at: now };
      },
    });
    const item = { id: '00000000000000aa', network: network as NetworkId, raw: new Uint8Array(size) };
    const taken = (): string[] => sent.splice(0);
    return { multicast, item, taken, group: members(group) };
  }

  it('is tried three times, and no more after an acknowledgement', () => {
    const { multicast, item, taken, group } = host(['a']);
    multicast.originate(item, group, 0);
    expect(taken()).toEqual(['0 batch by tree 0 to a', '0 batch by tree 1 to a']);
    multicast.hops.acknowledged('b', 1n, false, 5);
    multicast.hops.acknowledged('a', 2n, false, 5);
    for (const now of [19, 20, 60, 120, 500]) multicast.timer(now);
    expect(taken()).toEqual(['20 batch by tree 0 to a', '60 batch by tree 0 to a']);
    expect([multicast.nextWake, multicast.hops.isQuiet('a', 500)]).toEqual([Number.POSITIVE_INFINITY, true]);
  });

  it('goes to the next member of the part after two tries, or at once when the first passes nothing on', () => {
    const all = names(8);
    const [{ candidates = [] } = {}] = partsOf(members(all), wholeRing(0, 'self'), 'self');
    const { multicast, item, taken, group } = host(all);
    multicast.originate(item, group, 0);
    const counters = new Map(taken().map((line, i) => [line, BigInt(i + 1)]));
    const counter = counters.get(`0 batch by tree 0 to ${candidates[0]}`) ?? 0n;
    multicast.hops.acknowledged(candidates[0] ?? '', counter, true, 3);
    expect(taken()).toEqual([`3 batch by tree 0 to ${candidates[1]}`]);
    multicast.timer(20);
    multicast.timer(60);
    expect(taken().filter((line) => line.startsWith('60')).length).toBeGreaterThan(8);
  });

  it('of a large batch is the batch by the first tree, and its name by the second', () => {
    const { multicast, item, taken, group } = host(['a'], 500);
    multicast.originate(item, group, 0);
    expect(taken()).toEqual(['0 batch by tree 0 to a', '0 ihave by tree 1 to a']);
  });

  it('has at most 32 batches on their way to one member', () => {
    const { multicast, item, taken, group } = host(['a']);
    for (let i = 0; i < 40; i++) multicast.originate({ ...item, id: `${i}` }, group, 0);
    expect(taken()).toHaveLength(32);
    multicast.hops.acknowledged('a', 1n, false, 1);
    expect(taken()).toHaveLength(1);
    multicast.hops.keep(new Set(), 1);
    expect(multicast.nextWake).toBe(Number.POSITIVE_INFINITY);
  });

  it('is asked for by name if the batch does not come', () => {
    const { multicast, item, taken } = host(['a']);
    const interval = { tree: 1, lo: 0, span: 2 ** 32 - 1 };
    multicast.promised('b', { interval, network, batch: item.id }, 0);
    for (const now of [7, 8, 28]) multicast.timer(now);
    expect(taken()).toEqual(Array(2).fill('graft 00000000000000aa from b'));
    multicast.arrived(item, undefined, 30);
    expect(taken()).toEqual(['30 batch by tree 1 to a']);
    expect(multicast.recent(item.id)).toEqual(item);
  });

  it('does not let a member amplify: few intervals of one batch are served', () => {
    const { multicast, item, taken } = host(names(40));
    for (let i = 0; i < 100; i++) multicast.arrived(item, { tree: 0, lo: i * 1_000_003, span: 2 ** 31 }, 0);
    expect(taken().length).toBeLessThanOrEqual(8 * 4);
  });
});
