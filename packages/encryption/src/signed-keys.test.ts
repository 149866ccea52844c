import { createPublicKey } from 'node:crypto';
import { issueNode, issueRoot, type PeerName, parsePeerName } from '@causeway/identity';
import { createKey } from '@causeway/identity/io';
import { type ClusterId, type NodeId, type NodeKeys, unwrap } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import { describe, expect, it } from 'vitest';
import { publicHalf } from './node-key.ts';
import { signKeys, type Unsigned, verifyKeys } from './signed-keys.ts';
import { nodeKey } from './testing/keys.ts';

const cluster = '0123456789abcdef' as ClusterId;
const node = 'a1a1a1a1a1a1a1a1' as NodeId;
const now = 1_795_737_600_000;
const random = new SeededRandom(1);
const caKey = createKey();
const root = issueRoot(cluster, caKey, { now, random });

function credential(uri: string) {
  const key = createKey();
  const name: PeerName = unwrap(parsePeerName(uri));
  const certificate = issueNode(
    { certificate: root, key: caKey },
    { name, key: createPublicKey(key) },
    { now, random },
  );
  return { key, chain: [certificate] };
}

const own = credential(`spiffe://${cluster}/agent/${node}`);
const generation = (number: number) => {
  return { generation: number, publicKey: publicHalf(nodeKey(number)), createdAt: now + number };
};
const unsigned: Unsigned = { node, index: 0x123, version: 7, generations: [generation(4), generation(5)] };
const signed = signKeys(unsigned, cluster, own);
const expected = { cluster, trust: [root], now };

function outcome(keys: NodeKeys, changed: Partial<Parameters<typeof verifyKeys>[1]> = {}): string {
  const result = verifyKeys(keys, { ...expected, ...changed });
  return result.ok ? 'accepted' : result.error.message;
}

describe('the keys that a node publishes', () => {
  it('are accepted as the node has signed them', () => {
    expect(verifyKeys(signed, expected)).toEqual({ ok: true, value: unsigned });
  });

  const notSigned = 'the keys of the node a1a1a1a1a1a1a1a1 are refused: the signature is not that of the node';
  it.each<[string, Partial<NodeKeys>]>([
    ['another index', { index: 0x124 }],
    ['another version', { version: 8 }],
    ['fewer generations', { generations: [generation(5)] }],
    ['another number', { generations: [generation(4), { ...generation(5), generation: 6 }] }],
    ['another key', { generations: [generation(4), { ...generation(5), publicKey: publicHalf(nodeKey(9)) }] }],
    ['another time', { generations: [generation(4), { ...generation(5), createdAt: now }] }],
    [
      'another signature',
      { signature: signKeys(unsigned, cluster, credential(`spiffe://${cluster}/agent/${node}`)).signature },
    ],
    ['no signature', { signature: new Uint8Array(0) }],
    [
      'a signature for another cluster',
      { signature: signKeys(unsigned, 'fedcba9876543210' as ClusterId, own).signature },
    ],
  ])('are refused with %s', (_, change) => {
    expect(outcome({ ...signed, ...change })).toBe(notSigned);
  });

  it('are refused if the certificate is that of another node, of a manager, or of a stranger', () => {
    const other = signKeys(unsigned, cluster, credential(`spiffe://${cluster}/agent/b2b2b2b2b2b2b2b2`));
    expect(outcome(other)).toContain('the certificate is that of the node b2b2b2b2b2b2b2b2');
    const manager = signKeys(unsigned, cluster, credential(`spiffe://${cluster}/manager/m1`));
    expect(outcome(manager)).toContain('manager/m1 is not allowed here');
    expect(outcome(signed, { trust: [issueRoot(cluster, createKey(), { now, random })] })).toContain(
      'agent/a1a1a1a1a1a1a1a1',
    );
    expect(outcome({ ...signed, chain: [] })).toBe('the peer has no certificate');
    expect(outcome({ ...signed, chain: [Uint8Array.of(1, 2, 3)] })).toContain('cannot be parsed');
  });

  it('are refused when the certificate is not valid any more, and when the node was removed', () => {
    expect(outcome(signed, { now: now + 31 * 86_400_000 })).toContain('expired');
    const removal = { at: now + 1, isUntilJoin: false };
    const removals = { peers: new Map([[`agent/${node}`, removal]]), serials: new Set<string>() };
    expect(outcome(signed, { removals })).toContain('was removed from the cluster');
  });

  const three = [generation(4), generation(5), generation(6)];
  it.each<[string, Partial<Unsigned>, string]>([
    ['a reserved index', { index: 0xff }, 'the index 255 is out of range'],
    ['a larger index', { index: 0x100_0000 }, 'the index 16777216 is out of range'],
    ['no version', { version: 0 }, 'the version is not a number from 1 to 4294967295'],
    ['a version without end', { version: 2 ** 32 }, 'the version is not a number from 1 to 4294967295'],
    ['no generation', { generations: [] }, 'it has 0 generations; expected 1 to 3'],
    ['four generations', { generations: [...three, generation(7)] }, 'it has 4 generations; expected 1 to 3'],
    [
      'generations that fall',
      { generations: [generation(5), generation(4)] },
      'its generations do not rise, or are too far apart',
    ],
    [
      'one generation twice',
      { generations: [generation(5), generation(5)] },
      'its generations do not rise, or are too far apart',
    ],
    [
      'generations with one SPI',
      { generations: [generation(1), generation(17)] },
      'its generations do not rise, or are too far apart',
    ],
    [
      'a generation 0',
      { generations: [generation(0)] },
      'a generation is not a number from 1 to 4294967295, or its time is not a time',
    ],
    [
      'a generation without end',
      { generations: [generation(2 ** 32)] },
      'a generation is not a number from 1 to 4294967295, or its time is not a time',
    ],
    [
      'a short key',
      { generations: [{ ...generation(1), publicKey: new Uint8Array(31) }] },
      'a public key has the wrong size',
    ],
  ])('are refused, though the node has signed them, with %s', (_, change, why) => {
    expect(outcome(signKeys({ ...unsigned, ...change }, cluster, own))).toBe(
      `the keys of the node a1a1a1a1a1a1a1a1 are refused: ${why}`,
    );
  });

  it('may have three generations up to 15 apart', () => {
    const generations = [generation(1), generation(5), generation(16)];
    expect(outcome(signKeys({ ...unsigned, generations }, cluster, own))).toBe('accepted');
  });
});
