import { expect, test } from 'vitest';
import { reaches, type Stamp } from './stamp.ts';

const stamp = (epoch: number, revision: number): Stamp => ({ epoch: BigInt(epoch), revision: BigInt(revision) });

test.each<[string, stamp: Stamp, other: Stamp, reached: boolean]>([
  ['the same', stamp(1, 5), stamp(1, 5), true],
  ['a later revision', stamp(1, 6), stamp(1, 5), true],
  ['an earlier revision', stamp(1, 4), stamp(1, 5), false],
  ['an earlier revision of a later epoch', stamp(2, 1), stamp(1, 5), true],
  ['a later revision of an earlier epoch', stamp(1, 9), stamp(2, 5), false],
])('%s', (_, one, other, reached) => expect(reaches(one, other)).toBe(reached));
