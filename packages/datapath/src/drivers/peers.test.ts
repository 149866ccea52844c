import { addressOf, type EndpointRow } from '@causeway/model';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { me, nodeId, row, vtep } from '../testing/fixtures.ts';
import { Peers } from './peers.ts';

/** Endpoints of this host (1) and of two others. */
const rows: readonly EndpointRow[] = [row(2, 1), row(3, 2), row(4, 2), row(5, 3), row(6, 1)];
const endpoint = fc.nat({ max: rows.length - 1 });

it('the tables have each endpoint of another host that was added and not removed, and no other', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(endpoint, fc.boolean())), (steps) => {
      const peers = new Peers({ node: me });
      const present = new Set<EndpointRow>();
      for (const [at, isAdded] of steps) {
        const each = rows[at] as EndpointRow;
        peers[isAdded ? 'add' : 'remove'](each);
        present[isAdded ? 'add' : 'delete'](each);
      }
      const others = [...present].filter(({ node }) => node !== me);
      expect(peers.fdb).toEqual(new Map(others.map(({ mac, vtep: of }) => [mac, of])));
      const known = others.flatMap(({ addresses, mac }) => addresses.map((each) => [addressOf(each), mac] as const));
      expect(peers.neighbours).toEqual(new Map(known));
    }),
  );
});

it('an endpoint of this host has no part in them, even when another has its addresses', () => {
  const peers = new Peers({ node: me });
  const moved: EndpointRow = { ...row(2, 2), vtep: vtep(2) };
  peers.add(moved);
  peers.remove({ ...moved, node: nodeId(1) });
  peers.add({ ...moved, node: nodeId(1), vtep: vtep(1) });
  expect(peers.fdb).toEqual(new Map([[moved.mac, vtep(2)]]));
  expect(peers.neighbours.size).toBe(2);
});
