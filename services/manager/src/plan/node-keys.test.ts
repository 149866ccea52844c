import { firstNodeIndex, type NodeKeys } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { PlanHarness } from '../testing/plan-harness.ts';
import { refusal } from '../testing/refusal.ts';
import { nodeId, scriptNode, scriptNodeKeys } from '../testing/view-script.ts';
import { drainNode } from './drain-node.ts';
import { publishKeys, reserveKeyIndex } from './node-keys.ts';
import { registerNode } from './register-node.ts';
import { removeNode } from './remove-node.ts';

let desk: PlanHarness;

beforeEach(() => {
  desk = new PlanHarness(new SeededRandom(1));
  for (const n of [1, 2, 3]) desk.make(registerNode(scriptNode(n)));
});

const stored = (n: number): NodeKeys | undefined => desk.view.records('nodeKeys').get({ id: nodeId(n) })?.value;

/** Keys of host n with the index that the host has. */
function keys(n: number, version: number, over: Partial<NodeKeys> = {}): NodeKeys {
  return { ...scriptNodeKeys(n, version), index: stored(n)?.index ?? 0, ...over };
}

describe('the index of a host', () => {
  test('is given once, and never to two hosts', () => {
    expect([1, 2, 1, 3].map((n) => desk.make(reserveKeyIndex(nodeId(n))).index)).toEqual(
      [0, 1, 0, 2].map((n) => firstNodeIndex + n),
    );
  });

  test('is a claim: two plans from one view cannot both be written', () => {
    const plans = [1, 2].map((n) => reserveKeyIndex(nodeId(n)).plan(desk));
    const claims = plans.map(({ compares }) => compares[2]);
    expect(claims[0]).toEqual({ kind: 'absent', key: desk.keys.nodeIndex(firstNodeIndex) });
    expect(claims[1]).toEqual(claims[0]);
  });
});

test('a host that is removed takes its keys and its index with it, and gets none any more', () => {
  const { index } = desk.make(reserveKeyIndex(nodeId(1)));
  desk.make(publishKeys(keys(1, 1)));
  desk.make(drainNode({ node: 'h1', drained: true }));
  const emptied = { released: 0, interfacesRemoved: true };
  const removal = removeNode({ node: 'h1', force: false }, { isConnected: () => false, by: 'root@m1', emptied });
  const deleted = removal.plan(desk).writes.flatMap((write) => (write.kind === 'delete' ? [write.key] : []));
  expect(deleted).toEqual(expect.arrayContaining([desk.keys.nodeKeys(nodeId(1)), desk.keys.nodeIndex(index)]));
  desk.make(removal);
  expect(stored(1)).toBeUndefined();
  expect(refusal(() => desk.make(reserveKeyIndex(nodeId(1)))).code).toBe('node-unknown');
});

describe('keys', () => {
  beforeEach(() => {
    desk.make(reserveKeyIndex(nodeId(1)));
  });

  test('are stored as the host has signed them', () => {
    const published = keys(1, 1, { chain: [Uint8Array.of(1, 2), Uint8Array.of(3)] });
    desk.make(publishKeys(published));
    expect(stored(1)).toEqual(published);
  });

  test('follow each other; a repetition writes nothing', () => {
    desk.make(publishKeys(keys(1, 1)));
    desk.make(publishKeys(keys(1, 3)));
    expect(publishKeys(keys(1, 3)).plan(desk).writes).toEqual([]);
    expect(refusal(() => desk.make(publishKeys(keys(1, 2)))).code).toBe('revision-conflict');
    const other = keys(1, 3, { signature: Uint8Array.of(9) });
    expect(refusal(() => desk.make(publishKeys(other))).code).toBe('revision-conflict');
    expect(stored(1)?.version).toBe(3);
  });

  const [generation] = scriptNodeKeys(1, 1).generations;
  if (generation === undefined) throw new Error('a version has a generation');
  test.each<[string, Partial<NodeKeys>]>([
    ['of another index', { index: firstNodeIndex + 1 }],
    ['without a version', { version: 0 }],
    ['with a version without end', { version: 2 ** 32 }],
    ['with a generation without end', { generations: [{ ...generation, generation: 2 ** 32 }] }],
    ['without generations', { generations: [] }],
    ['with four generations', { generations: Array(4).fill(generation) }],
    ['with a short key', { generations: [{ ...generation, publicKey: new Uint8Array(31) }] }],
    ['with a generation 0', { generations: [{ ...generation, generation: 0 }] }],
    ['with seven certificates', { chain: Array(7).fill(Uint8Array.of(1)) }],
    ['with large certificates', { chain: [new Uint8Array(16_384)] }],
  ])('%s are refused', (_, over) => {
    expect(refusal(() => desk.make(publishKeys(keys(1, 1, over)))).code).toBe('invalid-argument');
    expect(stored(1)?.version).toBe(0);
  });

  test('of a host without an index are refused', () => {
    expect(refusal(() => desk.make(publishKeys(keys(2, 1)))).code).toBe('invalid-argument');
  });
});
