import type { NodeId } from '@causeway/model';
import { CryptoResult, PeerSas } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { describe, expect, test } from 'vitest';
import { cryptoPairs, type HostSas } from './crypto-pairs.ts';

const [h1, h2] = ['a1', 'a2'] as NodeId[] as [NodeId, NodeId];
type Pair = readonly [sender: number, receiver: number];

const pair = ([sender, receiver]: Pair) => ({ sender: BigInt(sender), receiver: BigInt(receiver) });

/** What a host has for its only peer. */
function sas(peer: NodeId, sends: Pair | undefined, receives: readonly Pair[], over: Partial<PeerSas> = {}): PeerSas {
  return PeerSas.create({
    nodeId: peer,
    ...(sends && { sends: pair(sends) }),
    receives: receives.map(pair),
    ageMs: 5_000n,
    esn: true,
    ...over,
  });
}

const host = (id: NodeId, name: string, peers?: PeerSas[]): HostSas => {
  return { id, name, result: peers && CryptoResult.create({ peers, plaintextDrops: 2n }) };
};
const judge = (one?: PeerSas[], two?: PeerSas[]) =>
  cryptoPairs([[host(h2, 'h2', two), host(h1, 'h1', one)]]).map(
    ({ sas: verdict, problem }) => `${verdict}: ${problem}`,
  )[0];

describe('two hosts', () => {
  test.each<[string, PeerSas[] | undefined, PeerSas[] | undefined, string]>([
    ['each sends with what the other receives', [sas(h2, [1, 1], [[1, 1]])], [sas(h1, [1, 1], [[1, 1]])], 'ok: '],
    [
      'in a rekey',
      [
        sas(
          h2,
          [2, 1],
          [
            [1, 1],
            [1, 2],
          ],
        ),
      ],
      [
        sas(
          h1,
          [1, 1],
          [
            [1, 1],
            [2, 1],
          ],
        ),
      ],
      'ok: ',
    ],
    [
      'one sends with what the other has no more',
      [sas(h2, [1, 1], [[1, 1]])],
      [sas(h1, [1, 1], [[2, 1]])],
      'broken: h1 sends with keys 1/1, and h2 has no SA that receives with them',
    ],
    [
      'one does not send',
      [sas(h2, [1, 1], [[1, 1]])],
      [sas(h1, undefined, [[1, 1]])],
      'broken: h2 has no SA with which it may send to h1',
    ],
    ['one does not know the other', [], [sas(h1, [1, 1], [[1, 1]])], 'broken: h1 has no keys of h2'],
    ['one does not answer', [sas(h2, [1, 1], [[1, 1]])], undefined, 'unknown: no answer from h2'],
    [
      'one does not answer, and the other does not send',
      [sas(h2, undefined, [])],
      undefined,
      'broken: h1 has no SA with which it may send to h2',
    ],
    ['both are silent', undefined, undefined, 'unknown: no answer from h1 and h2'],
  ])('%s', (_, one, two, expected) => expect(judge(one, two)).toBe(expected));

  test('the figures are those of both; during a change the older key counts', () => {
    const one = host(h1, 'h1', [sas(h2, [3, 7], [[7, 2]], { replayDrops: 4n, ageMs: 9_000n })]);
    const two = host(h2, 'h2', [sas(h1, [7, 2], [[3, 7]], { replayDrops: 1n, ageMs: 8_000n })]);
    expect(cryptoPairs([[one, two]])).toEqual([
      {
        ...{ a: 'h1', b: 'h2', aGeneration: 2n, bGeneration: 7n, sas: 'ok', problem: '' },
        ...{ ageMs: 8_000n, esn: true, replayDrops: 5n, plaintextDrops: 4n },
      },
    ]);
  });

  test('nothing is known of two silent hosts, so their SAs are not called safe', () => {
    const [pair] = cryptoPairs([[host(h1, 'h1'), host(h2, 'h2')]]);
    expect(pair).toMatchObject({ aGeneration: 0n, bGeneration: 0n, ageMs: 0n, esn: false });
    expect(pair?.plaintextDrops).toBeUndefined();
  });

  test('one SA without ESN is enough for the pair to lack it', () => {
    const one = host(h1, 'h1', [sas(h2, [1, 1], [[1, 1]])]);
    const two = host(h2, 'h2', [sas(h1, [1, 1], [[1, 1]], { esn: false })]);
    expect(cryptoPairs([[one, two]])).toMatchObject([{ esn: false }]);
  });
});

test('pairs are sorted by the names of their hosts', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((name) => host(name as NodeId, name)) as [HostSas, HostSas, HostSas];
  const names = cryptoPairs([
    [c, b],
    [c, a],
    [b, a],
  ]).map((each) => `${each.a}${each.b}`);
  expect(names).toEqual(['ab', 'ac', 'bc']);
});
