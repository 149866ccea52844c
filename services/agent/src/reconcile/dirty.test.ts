import { ChangeSet } from '@causeway/datapath';
import { Ip } from '@causeway/model';
import { expect, it } from 'vitest';
import { type Dirty, merged } from './dirty.ts';

const one = new ChangeSet();
one.add('neighbours', 'br0', Ip('10.0.0.1'));
const two = new ChangeSet();
two.links.add('br0');

it.each<[Dirty, Dirty, Dirty]>([
  ['nothing', one, one],
  [one, 'nothing', one],
  ['nothing', 'nothing', 'nothing'],
  ['everything', one, 'everything'],
  [one, 'everything', 'everything'],
])('%o and %o is %o', (a, b, both) => expect(merged(a, b)).toBe(both));

it('keys of both are kept, and neither is changed', () => {
  expect(merged(one, two)).toMatchObject({
    links: new Set(['br0']),
    entries: { neighbours: new Map([['br0', new Set([Ip('10.0.0.1')])]]) },
  });
  expect([one.links.size, two.entries]).toEqual([0, {}]);
});
