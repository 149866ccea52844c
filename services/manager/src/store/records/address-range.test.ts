import { Prefix } from '@causeway/model';
import { expect, test } from 'vitest';
import { meet, prefixRange } from './address-range.ts';

test.each<[string, string, string, boolean]>([
  ['the same prefix', '10.1.0.0/24', '10.1.0.0/24', true],
  ['one inside the other', '10.1.0.0/16', '10.1.255.255/32', true],
  ['one before the other', '10.1.0.0/24', '10.1.1.0/24', false],
  ['of two families, with the same bits', '10.1.0.0/24', '::a01:0/120', false],
])('two ranges have an address in common: %s', (_, a, b, isCommon) => {
  const [one, two] = [prefixRange(Prefix(a)), prefixRange(Prefix(b))];
  expect([meet(one, two), meet(two, one)]).toEqual([isCommon, isCommon]);
});
