import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { Secret } from './secret.ts';

it('a secret is shown by nothing but reveal', () => {
  const key = new Secret('correct horse');
  const op = { op: 'sa.set', spi: 7, key } as const;
  const texts = [`ip xfrm state add enc ${key}`, JSON.stringify(op), inspect(op, { depth: 9 }), String(key)];
  for (const text of texts) expect(text).not.toContain('correct horse');
  expect(JSON.stringify(op)).toBe('{"op":"sa.set","spi":7,"key":"<secret>"}');
  expect(key.reveal()).toBe('correct horse');
});
