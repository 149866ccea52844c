import { Ip, Mac } from '@causeway/model';
import { expect, it } from 'vitest';
import { ChangeSet } from './changes.ts';

const mac = Mac('02:42:0a:42:00:09');
const ip = (n: number): Ip => Ip(`10.66.${n >> 8}.${n & 255}`);

/** So many different neighbours of one link. */
function neighbours(count: number): ChangeSet {
  const changes = new ChangeSet();
  for (let n = 0; n < count; n++) changes.add('neighbours', 'vxlan0', ip(n));
  return changes;
}

it.each([
  [256, false],
  [257, true],
])('with %i entries, more than are named have changed: %s', (count, more) => {
  const changes = neighbours(count);
  expect([changes.entries.neighbours?.get('vxlan0')?.size, changes.more]).toEqual([256, more]);
});

it('an entry that changes again is one entry', () => {
  const changes = neighbours(255);
  for (let n = 0; n < 3; n++) changes.add('fdb', 'vxlan0', mac);
  expect(changes.more).toBe(false);
  changes.add('fdb', 'br0', mac);
  expect([changes.more, changes.entries.fdb]).toEqual([true, new Map([['vxlan0', new Set([mac])]])]);
});

it('included changes are added, with whether there are more', () => {
  const changes = neighbours(1);
  const others = new ChangeSet();
  others.links.add('br0');
  others.add('fdb', 'vxlan0', mac);
  others.add('neighbours', 'vxlan0', ip(9));
  changes.include(others);
  expect(changes).toMatchObject({
    links: new Set(['br0']),
    entries: {
      fdb: new Map([['vxlan0', new Set([mac])]]),
      neighbours: new Map([['vxlan0', new Set([ip(0), ip(9)])]]),
    },
    more: false,
  });
  others.more = true;
  changes.include(others);
  changes.include(new ChangeSet());
  expect(changes.more).toBe(true);
});

it.each<[string, (changes: ChangeSet) => void, boolean]>([
  ['nothing', () => undefined, true],
  ['a link', (changes) => changes.links.add('br0'), false],
  ['an entry', (changes) => changes.add('fdb', 'vxlan0', mac), false],
  [
    'something that is not named',
    (changes) => {
      changes.more = true;
    },
    false,
  ],
])('a set of changes is empty: %s has changed', (_, change, isEmpty) => {
  const changes = new ChangeSet();
  change(changes);
  expect(changes.isEmpty).toBe(isEmpty);
});
