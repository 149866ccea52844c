import { type EndpointRow, noRowChanges, noRows } from '@causeway/model';
import { expect, test } from 'vitest';
import { endpointId, networkId, nodeId, scriptEndpoint, scriptNetwork, scriptNode } from '../testing/view-script.ts';
import { FeedTable, type Moved } from './feed-table.ts';

const [h1, h2] = [nodeId(1), nodeId(2)];
const row = (endpoint: number, node: number): EndpointRow => ({
  ...scriptEndpoint(endpoint, 7, node),
  vtep: scriptNode(node).dataPath,
});

/** A network with two endpoints on host 1, at revision 5, after a step with these changes. */
function after(upserts: readonly EndpointRow[], removed: readonly number[]): Moved & { readonly hosts: unknown } {
  const rows = new Map([9, 10].map((endpoint) => [endpointId(endpoint), row(endpoint, 1)]));
  const table = new FeedTable({ value: scriptNetwork(7), revision: 5n }, 5n, { ...noRows(), endpoint: rows });
  const endpoint = { upserts, removed: removed.map(endpointId) };
  const step = { kind: 'move', network: networkId(7), from: 5n, to: 6n, changed: undefined } as const;
  const moved = table.move({ ...step, changes: { ...noRowChanges(), endpoint } });
  return { ...moved, hosts: [...table.hosts] };
}

test.each<[string, readonly EndpointRow[], readonly number[], ReturnType<typeof after>]>([
  ['one of two endpoints is removed: the host stays', [], [9], { joined: [], left: [], hosts: [[h1, 1]] }],
  ['both are removed: the host leaves', [], [9, 10], { joined: [], left: [h1], hosts: [] }],
  [
    'one moves: the other host joins',
    [row(9, 2)],
    [],
    {
      joined: [h2],
      left: [],
      hosts: [
        [h1, 1],
        [h2, 1],
      ],
    },
  ],
  [
    'both move: one host joins, one leaves',
    [row(9, 2), row(10, 2)],
    [],
    { joined: [h2], left: [h1], hosts: [[h2, 2]] },
  ],
  ['one changes where it is: no host comes or goes', [row(9, 1)], [], { joined: [], left: [], hosts: [[h1, 2]] }],
  ['one is added beside them', [row(11, 1)], [], { joined: [], left: [], hosts: [[h1, 3]] }],
  ['one is removed that was not there', [], [11], { joined: [], left: [], hosts: [[h1, 2]] }],
])('the hosts of a network: %s', (_, upserts, removed, expected) => {
  expect(after(upserts, removed)).toEqual(expected);
});
