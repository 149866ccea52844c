import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { SaKey, saKeySize } from './sa-key.ts';

const bytes = (): Uint8Array => Uint8Array.from({ length: saKeySize }, (_, n) => 200 + n);

it('a key is shown by nothing but reveal', () => {
  const key = SaKey.of(bytes());
  const op = { op: 'xfrmState.add', spi: 7, key } as const;
  const clone: unknown = structuredClone({ ...op, key: { ...key } });
  const texts = [`aead ${key}`, JSON.stringify(op), inspect(op, { depth: 9, showHidden: true }), JSON.stringify(clone)];
  for (const text of texts) expect(text).not.toMatch(/200|c8c9ca|201/);
  expect(JSON.stringify(op)).toBe('{"op":"xfrmState.add","spi":7,"key":"<secret>"}');
  expect(key.reveal()).toEqual(bytes());
});

it('the key of an SA that was found is compared, and its bytes are gone', () => {
  const found = bytes();
  const key = SaKey.take(found);
  expect(found).toEqual(new Uint8Array(saKeySize));
  expect(key.equals(SaKey.of(bytes()))).toBe(true);
  expect(key.equals(SaKey.of(bytes().fill(9)))).toBe(false);
  expect(() => key.reveal()).toThrow('not kept');
  expect(() => key.reveal()).not.toThrow(/20[01]/);
});

it('a decoy follows from a key, and is another', () => {
  const decoy = SaKey.of(bytes()).decoy();
  expect([decoy.equals(SaKey.of(bytes())), decoy.equals(SaKey.of(bytes()).decoy())]).toEqual([false, true]);
  expect(decoy.reveal()).not.toEqual(bytes());
});

it('a key to make is a copy, and has one length', () => {
  const given = bytes();
  const key = SaKey.of(given);
  given.fill(0);
  expect(key.reveal()).toEqual(bytes());
  expect(() => SaKey.of(new Uint8Array(16))).toThrow('20 bytes, not 16');
});
