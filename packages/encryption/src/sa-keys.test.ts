import { createHmac } from 'node:crypto';
import { type ClusterId, type NodeId, unwrap } from '@causeway/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createNodeKey } from './io/create-node-key.ts';
import { publicHalf, publicKeySize, sharedSecret } from './node-key.ts';
import { areDistinct, spiOf } from './pair.ts';
import { type SaPurpose, saKeyOf } from './sa-key-of.ts';
import { nodeKey } from './testing/keys.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const purpose: SaPurpose = {
  cluster: '0123456789abcdef' as ClusterId,
  sender: 'a1a1a1a1a1a1a1a1' as NodeId,
  receiver: 'b2b2b2b2b2b2b2b2' as NodeId,
  pair: { sender: 1, receiver: 2 },
};

describe('the shared secret', () => {
  it('is the same at both nodes', () => {
    const [one, other] = [nodeKey(1), nodeKey(2)];
    const secret = unwrap(sharedSecret(one, publicHalf(other)));
    expect(secret).toHaveLength(32);
    expect(hex(unwrap(sharedSecret(other, publicHalf(one))))).toBe(hex(secret));
  });

  it.each([
    ['zero', Buffer.alloc(32), 'it is not a key that a node makes'],
    ['one, which has a small order', Buffer.from([1, ...Buffer.alloc(31)]), 'it is not a key that a node makes'],
    ['too short', Buffer.alloc(31), 'it has 31 bytes, not 32'],
    ['too long', Buffer.alloc(33), 'it has 33 bytes, not 32'],
  ])('is refused if the public key of the peer is %s', (_, publicKey, why) => {
    const result = sharedSecret(nodeKey(1), publicKey);
    expect(result.ok ? 'accepted' : result.error.message).toBe(`the public key of the peer is unusable: ${why}`);
  });

  it('is of new keys, which differ', () => {
    const keys = [createNodeKey(), createNodeKey()].map(publicHalf);
    expect(new Set(keys.map(hex)).size).toBe(2);
    expect(keys.map(({ length }) => length)).toEqual([publicKeySize, publicKeySize]);
  });
});

describe('the key of an SA', () => {
  const secret = unwrap(sharedSecret(nodeKey(1), publicHalf(nodeKey(2))));

  it('follows from the secret as RFC 5869 says, written out here for one block', () => {
    const info = 'causeway SA key 1|0123456789abcdef|a1a1a1a1a1a1a1a1|b2b2b2b2b2b2b2b2|1|2'.replaceAll('|', '\0');
    const extracted = createHmac('sha256', Buffer.alloc(32)).update(secret).digest();
    const expanded = createHmac('sha256', extracted).update(info).update(Uint8Array.of(1)).digest();
    expect(hex(saKeyOf(secret, purpose).reveal())).toBe(hex(expanded.subarray(0, 20)));
  });

  it('stays what it is: hosts of two versions must agree', () => {
    expect(hex(saKeyOf(secret, purpose).reveal())).toMatchInlineSnapshot(`"e33d7a585fd408c1d40681181532fc26eea0944f"`);
  });

  it.each<[string, Partial<SaPurpose>]>([
    ['the cluster', { cluster: 'fedcba9876543210' as ClusterId }],
    ['the direction', { sender: purpose.receiver, receiver: purpose.sender }],
    ['the generation of the sender', { pair: { sender: 2, receiver: 2 } }],
    ['the generation of the receiver', { pair: { sender: 1, receiver: 3 } }],
    ['which generation is whose', { pair: { sender: 2, receiver: 1 } }],
    ['a generation 16 later', { pair: { sender: 17, receiver: 2 } }],
  ])('differs with %s', (_, other) => {
    expect(saKeyOf(secret, { ...purpose, ...other }).equals(saKeyOf(secret, purpose))).toBe(false);
  });

  it('differs with the secret', () => {
    const other = unwrap(sharedSecret(nodeKey(1), publicHalf(nodeKey(3))));
    expect(saKeyOf(other, purpose).equals(saKeyOf(secret, purpose))).toBe(false);
  });
});

describe('the SPI', () => {
  it('has the generations of sender and receiver and the index of the sender', () => {
    expect(spiOf({ sender: 1, receiver: 2 }, 0x000305).toString(16)).toBe('12000305');
    expect(spiOf({ sender: 31, receiver: 16 }, 0xffffff).toString(16)).toBe('f0ffffff');
  });

  it('is unique among all that a host receives with at a time, and none is reserved', () => {
    const generation = fc.integer({ min: 1, max: 1_000_000 });
    const near = fc.tuple(generation, fc.nat({ max: 15 })).map(([first, more]) => [first, first + more] as const);
    const index = fc.integer({ min: 0x100, max: 0xff_ffff });
    const end = fc.tuple(near, near, index);
    fc.assert(
      fc.property(end, fc.boolean(), ([senders, receivers, from], isOther) => {
        const spis = senders.flatMap((sender) => receivers.map((receiver) => spiOf({ sender, receiver }, from)));
        const different = new Set(senders).size * new Set(receivers).size;
        expect(new Set(spis).size).toBe(different);
        expect(Math.min(...spis)).toBeGreaterThan(255);
        if (isOther) expect(spis).not.toContain(spiOf({ sender: senders[0], receiver: receivers[0] }, from ^ 1));
      }),
    );
  });

  it('allows generations less than 16 apart', () => {
    expect([areDistinct(1, 16), areDistinct(1, 17)]).toEqual([true, false]);
  });
});
