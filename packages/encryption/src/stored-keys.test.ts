import { createKey } from '@causeway/identity/io';
import type { NodeId } from '@causeway/model';
import { describe, expect, it } from 'vitest';
import { publicHalf } from './node-key.ts';
import { formatStoredKeys, parseStoredKeys, type StoredKeys } from './stored-keys.ts';
import { nodeKey } from './testing/keys.ts';

const stored: StoredKeys = {
  keyring: {
    version: 9,
    generations: [
      { generation: 3, createdAt: 1_000, offeredIn: 4, withdrawnIn: 9 },
      { generation: 5, createdAt: 2_000, offeredIn: 8 },
    ],
    made: new Map([
      ['a1a1a1a1a1a1a1a1' as NodeId, { received: [{ sender: 1, receiver: 3 }], sent: [{ sender: 5, receiver: 1 }] }],
    ]),
    confirmed: new Map([['a1a1a1a1a1a1a1a1' as NodeId, 8]]),
  },
  keys: new Map([3, 5].map((seed) => [seed, nodeKey(seed)])),
};

describe('the stored keys of a node', () => {
  it('are read as they were written', () => {
    const read = parseStoredKeys(formatStoredKeys(stored));
    if (!read.ok) throw read.error;
    expect(read.value.keyring).toEqual(stored.keyring);
    for (const [generation, key] of stored.keys)
      expect(publicHalf(read.value.keys.get(generation) ?? key)).toEqual(publicHalf(key));
    expect([...read.value.keys.keys()]).toEqual([3, 5]);
  });

  it('have no key of a generation that is gone', () => {
    const keys = new Map([...stored.keys, [2, nodeKey(2)] as const]);
    expect(formatStoredKeys({ ...stored, keys })).toBe(formatStoredKeys(stored));
  });

  it('are not written without a key of a generation', () => {
    expect(() => formatStoredKeys({ ...stored, keys: new Map() })).toThrow('the generation 3 has no private key');
  });

  const text = formatStoredKeys(stored);
  it.each([
    ['empty', ''],
    ['half', text.slice(0, text.length / 2)],
    ['of another form', text.replace('"form":1', '"form":2')],
    ['with one generation twice', text.replace('"generation":3', '"generation":5')],
    ['with a negative version', text.replace('"version":9,"gen', '"version":-9,"gen')],
    ['with a time that is none', text.replace('1000', '"x"')],
    ['with a confirmed version that is none', text.replace(/("confirmed":.*),8/, '$1,8.5')],
    ['with a pair that is none', text.replace('"sender":1', '"sender":"1"')],
    [
      'with a key of another kind',
      text.replace(/"key":\{.*?\}/, `"key":${JSON.stringify(createKey().export({ format: 'jwk' }))}`),
    ],
  ])('are refused when they are %s, and no error has a part of them', (_, damaged) => {
    const read = parseStoredKeys(damaged);
    expect(read.ok ? read.value : read.error.message).toBe('the stored keys for encrypted networks are damaged');
    expect(read.ok ? undefined : read.error.cause).toBeUndefined();
  });
});
