import { Mac } from '@causeway/model';
import { expect, it } from 'vitest';
import { newNamespace } from './draft.ts';
import type { Link } from './kinds/link/link.ts';
import { reachablePart } from './reachable.ts';
import type { NetnsPath, State } from './state.ts';

const overlay = '/run/netns/cw-0123456789' as NetnsPath;
const [web, db] = ['/run/netns/web', '/run/netns/db'] as NetnsPath[] as [NetnsPath, NetnsPath];
const mac = Mac('02:42:0a:42:00:02');

/** The host's end of a pair whose other end is in that namespace. */
const pair = (name: string, netns: NetnsPath): Link => {
  const peer = { netns, name: 'eth0', mac, mtu: 1450 };
  return { kind: 'veth', name, mac, mtu: 1450, up: true, peer };
};

function stateOf(links: readonly Link[], ...containers: NetnsPath[]): State {
  const namespace = newNamespace();
  for (const link of links) {
    namespace.links.set(link.name, link);
    namespace.fdb.set(link.name, new Map([[mac, 'port']]));
  }
  return new Map([[overlay, namespace], ...containers.map((netns) => [netns, newNamespace()] as const)]);
}

const bridge: Link = { kind: 'bridge', name: 'br0', mac, mtu: 1450, up: true };
const desired = stateOf([bridge, pair('p1', web), pair('p2', db)], web, db);

const partOf = (actual: State) => {
  const { state, missing } = reachablePart(actual, desired);
  const namespace = state.get(overlay);
  return {
    missing,
    namespaces: [...state.keys()],
    links: [...(namespace?.links.keys() ?? [])],
    fdb: [...(namespace?.fdb.keys() ?? [])],
  };
};

it('is all, and the same, when every container is there', () => {
  expect(reachablePart(stateOf([], web, db), desired).state).toBe(desired);
});

it('is without a missing container, and without the pair and the entry that lead there', () => {
  expect(partOf(stateOf([], web))).toEqual({
    missing: [db],
    namespaces: [overlay, web],
    links: ['br0', 'p1'],
    fdb: ['br0', 'p1'],
  });
});

it('has the end of a pair that is in a container', () => {
  const inner: Link = { kind: 'veth', name: 'eth0', mac, mtu: 1450, up: true };
  const namespace = newNamespace();
  namespace.links.set('eth0', inner);
  const { state } = reachablePart(stateOf([], web), new Map([...desired, [web, namespace]]));
  expect([...(state.get(web)?.links.values() ?? [])]).toEqual([inner]);
});

it('keeps a pair that is there: its container may outlive its path', () => {
  expect(partOf(stateOf([pair('p2', db)], web))).toMatchObject({
    missing: [db],
    links: ['br0', 'p1', 'p2'],
    fdb: ['br0', 'p1', 'p2'],
  });
});

it('has the overlay, which is made when it is missing', () => {
  const { missing, namespaces } = partOf(
    new Map([
      [web, newNamespace()],
      [db, newNamespace()],
    ]),
  );
  expect({ missing, namespaces }).toEqual({ missing: [], namespaces: [overlay, web, db] });
});

it('leaves the desired state as it is', () => {
  partOf(new Map());
  expect([...(desired.get(overlay)?.links.keys() ?? [])]).toEqual(['br0', 'p1', 'p2']);
});
