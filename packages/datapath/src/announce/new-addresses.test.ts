import type { EndpointRow, Mac } from '@causeway/model';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { buildNetwork } from '../drivers/build.ts';
import { overlayNetns } from '../drivers/overlay-names.ts';
import { finish } from '../sliced.ts';
import type { State } from '../state.ts';
import { networkOnHost } from '../testing/arbitraries.ts';
import { blue, nodeId, onHost, row, vtep } from '../testing/fixtures.ts';
import { type NewAddress, newAddresses } from './new-addresses.ts';

const netns = overlayNetns(blue.id);
const state = (...rows: readonly EndpointRow[]): State => buildNetwork(onHost(rows));
const between = (before: State, after: State): NewAddress[] => finish(newAddresses(before, after, netns));

const own = row(2, 1);
const peer = row(3, 2);
const otherMac = '02:42:0a:42:00:63' as Mac;

const cases: readonly { what: string; before: EndpointRow[]; after: EndpointRow[]; found: string[] }[] = [
  { what: 'a peer', before: [own], after: [own, peer], found: ['10.66.0.3 peer', 'fd66::3 peer'] },
  { what: 'a container of this host', before: [peer], after: [own, peer], found: ['10.66.0.2 own', 'fd66::2 own'] },
  { what: 'nothing: the same rows', before: [own, peer], after: [own, peer], found: [] },
  { what: 'nothing: a peer leaves', before: [own, peer], after: [own], found: [] },
  {
    what: 'nothing: a peer moves to another host with its MAC',
    before: [own, peer],
    after: [own, { ...peer, node: nodeId(3), vtep: vtep(3) }],
    found: [],
  },
  {
    what: 'a peer with another MAC',
    before: [own, peer],
    after: [own, { ...peer, mac: otherMac }],
    found: ['10.66.0.3 peer', 'fd66::3 peer'],
  },
  {
    what: 'an address that was given again, with the MAC of another endpoint',
    before: [own, peer],
    after: [own, row(4, 2, ['10.66.0.4/16', 'fd66::3/64'])],
    found: ['10.66.0.4 peer', 'fd66::3 peer'],
  },
  {
    what: 'a peer that moves to this host',
    before: [row(2, 2), peer],
    after: [own, peer],
    found: ['10.66.0.2 own', 'fd66::2 own'],
  },
];

for (const { what, before, after, found } of cases) {
  it(`new between two states: ${what}`, () => {
    const seen = between(state(...before), state(...after));
    expect(seen.map(({ ip, isOwn }) => `${ip} ${isOwn ? 'own' : 'peer'}`)).toEqual(found);
  });
}

it('from nothing every address is new, and from a state to itself none is', () => {
  fc.assert(
    fc.property(networkOnHost, (input) => {
      const [built, path] = [buildNetwork(input), overlayNetns(input.network.id)];
      const all = finish(newAddresses(new Map(), built, path));
      expect(finish(newAddresses(built, built, path))).toEqual([]);
      const held = new Set(input.sandboxes.map(({ endpoint }) => endpoint));
      const reachable = [...input.rows].filter(({ node, id }) => node !== input.node || held.has(id));
      const addresses = new Set(reachable.flatMap((each) => each.addresses.map((address) => address.split('/')[0])));
      expect(new Set(all.map(({ ip }) => ip))).toEqual(addresses);
    }),
  );
});

it.each([
  [255, 0],
  [256, 1],
  [512, 2],
])('with the addresses of %i peers the search pauses %i times', (count, pauses) => {
  const peers = Array.from({ length: count }, (_, n) => row(n + 2, 2, [`10.66.${n >> 8}.${n & 255}/16`]));
  const work = newAddresses(new Map(), state(...peers), netns);
  let paused = 0;
  while (work.next().done !== true) paused++;
  expect(paused).toBe(pauses);
});
