import { expect, test } from 'vitest';
import { type Break, cannotBeDelivered } from './stream-breaks.ts';

test.each<{ name: string; breaks: readonly Break[]; is: boolean }>([
  { name: 'none', breaks: [], is: false },
  { name: 'stuck once: as may be on a busy machine', breaks: ['stuck'], is: false },
  { name: 'stuck twice', breaks: ['stuck', 'stuck'], is: true },
  { name: 'a network that breaks a few times', breaks: Array<Break>(7).fill('lost'), is: false },
  { name: 'a store that ends whenever it sends', breaks: Array<Break>(8).fill('lost'), is: true },
  { name: 'both', breaks: ['lost', 'stuck', 'lost', 'stuck'], is: true },
])('$name', ({ breaks, is }) => {
  expect(cannotBeDelivered(breaks)).toBe(is);
});
