import { createPublicKey, type KeyObject } from 'node:crypto';
import { type Credential, issueNode, issueRoot, type PeerName, parsePeerName } from '@causeway/identity';
import { createKey } from '@causeway/identity/io';
import { type ClusterId, unwrap } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import { describe, expect, it, test } from 'vitest';
import { createTableKey } from '../io/create-table-key.ts';
import { LiveSet } from '../table/live-set.ts';
import { network, put } from '../testing/rows.ts';
import { type Batch, encodeBatch } from '../wire/batch.ts';
import { lastStep } from '../wire/position.ts';
import { Ed25519, signerOf } from './signatures.ts';
import { TableKeys } from './table-keys.ts';
import {
  decodeVouched,
  encodeVouched,
  keyIdOf,
  type TableKey,
  type VouchedKey,
  verifyVouched,
  vouch,
} from './vouched-key.ts';

const cluster = '0123456789abcdef' as ClusterId;
const now = 1_795_737_600_000;
const day = 86_400_000;
const random = new SeededRandom(1);
const caKey = createKey();
const root = issueRoot(cluster, caKey, { now, random });

function credential(role: string, id: string): Pick<Credential, 'key' | 'chain'> {
  const key: KeyObject = createKey();
  const name: PeerName = unwrap(parsePeerName(`spiffe://${cluster}/${role}/${id}`));
  const certificate = issueNode(
    { certificate: root, key: caKey },
    { name, key: createPublicKey(key) },
    { now, random },
  );
  return { key, chain: [certificate] };
}

const manager = credential('manager', 'm1');
const signer = signerOf(createTableKey());
const tableKey: TableKey = { manager: 'm1', epoch: 4n, publicKey: signer.publicKey, notAfter: now + day };
const vouched = vouch(tableKey, cluster, manager);
const expected = { cluster, trust: [root], now };

function outcome(key: VouchedKey, changed: Partial<typeof expected> = {}): string {
  const result = verifyVouched(key, { ...expected, ...changed });
  return result.ok ? 'accepted' : result.error.message;
}

describe('a table key', () => {
  it('is accepted as a manager vouches for it, also after its way over the network', () => {
    expect(verifyVouched(vouched, expected)).toEqual({ ok: true, value: tableKey });
    expect(decodeVouched(encodeVouched(vouched))).toEqual({
      ...vouched,
      chain: vouched.chain.map((der) => new Uint8Array(der)),
    });
    expect(encodeVouched(vouched).length).toBeLessThan(1_000);
  });

  it('expires with the certificate', () => {
    const late = vouch({ ...tableKey, notAfter: now + 10_000 * day }, cluster, manager);
    expect(unwrap(verifyVouched(late, expected)).notAfter).toBe(manager.chain[0].notAfter);
  });

  const notSigned = 'the table key of the manager m1 is refused: the signature is not that of the manager';
  it.each<[string, VouchedKey, string]>([
    ['another epoch', { ...vouched, epoch: 5n }, notSigned],
    ['another time', { ...vouched, notAfter: now + 2 * day }, notSigned],
    ['another key', { ...vouched, publicKey: signerOf(createTableKey()).publicKey }, notSigned],
    [
      'the word of another manager',
      { ...vouched, signature: vouch(tableKey, cluster, credential('manager', 'm2')).signature },
      notSigned,
    ],
    [
      'the certificate of another manager',
      vouch(tableKey, cluster, credential('manager', 'm2')),
      'the certificate is that of the manager m2',
    ],
    [
      'the certificate of an agent',
      vouch(tableKey, cluster, credential('agent', 'a1a1a1a1a1a1a1a1')),
      'is not allowed here',
    ],
    ['a signature for another cluster', vouch(tableKey, 'fedcba9876543210' as ClusterId, manager), notSigned],
    ['no certificate', { ...vouched, chain: [] }, 'the peer has no certificate'],
    ['a short key', { ...vouched, publicKey: new Uint8Array(31) }, 'it has the wrong size'],
    ['seven certificates', { ...vouched, chain: Array(7).fill(vouched.chain[0]) }, 'its chain is too long'],
  ])('is refused with %s', (_, key, why) => {
    expect(outcome(key)).toContain(why);
  });

  it('is refused when it has expired, and when its manager was removed', () => {
    expect(outcome(vouched, { now: now + day + 1 })).toContain('it has expired');
    const removals = {
      peers: new Map([['manager/m1', { at: now + 1, isUntilJoin: false }]]),
      serials: new Set<string>(),
    };
    expect(outcome(vouched, { removals } as never)).toContain('was removed from the cluster');
  });
});

describe('a batch', () => {
  const live = LiveSet.empty().with([put(1)]);
  const batchOf = (epoch: bigint, sign = signer.sign, of = cluster): Batch => {
    const [from, to] = [
      { epoch, revision: 0n, step: 0 },
      { epoch, revision: 9n, step: lastStep },
    ];
    const unsigned = { network, from, to, root: live.root, changes: [put(1)], keyId: keyIdOf(signer) };
    return encodeBatch(unsigned, of, sign);
  };
  const keys = new TableKeys(cluster, new Ed25519());
  keys.add(tableKey, vouched);
  const genuine = batchOf(4n);

  it.each<[string, Batch, number, string | undefined]>([
    ['of a manager is trusted', genuine, now, undefined],
    ['under a key that expired is not', genuine, now + day + 1, 'expired-key'],
    ['of another epoch than that of its key is not', batchOf(5n), now, 'wrong-epoch'],
    ['signed by another key is not', batchOf(4n, signerOf(createTableKey()).sign), now, 'bad-signature'],
    [
      'signed for another cluster is not',
      batchOf(4n, signer.sign, 'fedcba9876543210' as ClusterId),
      now,
      'bad-signature',
    ],
    ['without a signature is not', batchOf(4n, () => new Uint8Array(64)), now, 'bad-signature'],
    ['under an unknown key is not', { ...genuine, keyId: '00000000000000aa' }, now, 'unknown-key'],
  ])('%s', (_, batch, wall, why) => {
    expect(keys.distrust(batch, wall)).toBe(why);
  });

  it('of a removed manager is not trusted', () => {
    const some = new TableKeys(cluster, new Ed25519());
    some.add(tableKey, vouched);
    some.forget('m2');
    expect(some.distrust(genuine, now)).toBeUndefined();
    some.forget('m1');
    expect(some.distrust(genuine, now)).toBe('unknown-key');
  });
});

test('bytes that are no key verify nothing', () => {
  expect(new Ed25519().verify(new Uint8Array(5), new Uint8Array(1), new Uint8Array(64))).toBe(false);
});
