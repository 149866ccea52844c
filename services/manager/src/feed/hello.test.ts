import { feedVersions } from '@causeway/model';
import { nodeToMessage } from '@causeway/proto';
import { Hello, type NetworkCursor } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { describe, expect, test } from 'vitest';
import { refusal } from '../testing/refusal.ts';
import { networkId, scriptCluster, scriptNode } from '../testing/view-script.ts';
import { readHello } from './hello.ts';

const cluster = { id: scriptCluster, epoch: 2n, schema: 1, revision: 1n };
const newest = feedVersions.at(-1);
const cursor = (revision: bigint, of: string = networkId(7)): NetworkCursor => {
  return { networkId: of, revision, digest: 0n, feedVersion: 1 };
};
const read = (message: Partial<Hello>) => {
  const rest = { clusterId: scriptCluster, epoch: 2n, feedVersions: feedVersions.map(({ number }) => number) };
  return readHello(
    Hello.create({ ...rest, node: nodeToMessage(scriptNode(1), 0n), ...message }),
    cluster,
    feedVersions,
  );
};

describe('a Hello', () => {
  test.each<[string, Partial<Hello>, boolean, bigint]>([
    ['of this cluster and epoch continues from its newest cursor', {}, true, 9n],
    ['of an earlier epoch does not continue', { epoch: 1n }, false, 0n],
    ['of an agent that knows no cluster yet does not continue', { clusterId: '' }, false, 0n],
    ['without cursors waits for no revision', { cursors: [] }, true, 0n],
  ])('%s', (_, message, continues, atLeast) => {
    const cursors = [cursor(4n), cursor(9n), cursor(5n)];
    expect(read({ cursors, ...message })).toMatchObject({ continues, atLeast, feed: newest, node: scriptNode(1) });
  });

  test('may name as many networks as a host can have', () => {
    expect(read({ cursors: Array.from({ length: 16_384 }, () => cursor(1n)) }).cursors).toHaveLength(16_384);
  });

  test.each<[string, Partial<Hello>, string, RegExp]>([
    [
      'of another cluster',
      { clusterId: 'dddddddddddddddd' },
      'cluster-mismatch',
      /belongs to cluster dddddddddddddddd/,
    ],
    ['without its host', { node: undefined as never }, 'invalid-argument', /^hello\.node is missing$/],
    ['with feed versions of which none is known', { feedVersions: [99] }, 'feed-unsupported', /speaks feed version 99/],
    [
      'with too many cursors',
      { cursors: Array.from({ length: 16_385 }, () => cursor(1n)) },
      'invalid-argument',
      /16385 networks, the limit is 16384/,
    ],
    [
      'with a cursor of no network',
      { cursors: [cursor(1n), cursor(1n, 'blue')] },
      'invalid-argument',
      /cursors\[1\]\.network_id/,
    ],
  ])('is refused: %s', (_, message, code, says) => {
    const error = refusal(() => read(message));
    expect({ code: error.code, message: error.message }).toEqual({ code, message: expect.stringMatching(says) });
  });
});
