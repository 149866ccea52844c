import { type EndpointRow, type FeedVersion, feedVersions, type Network, noRowChanges, noRows } from '@causeway/model';
import { ConnectResponse, type Delta } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { describe, expect, test } from 'vitest';
import { endpointId, networkId, nodeId, scriptEndpoint, scriptNetwork, scriptNode } from '../testing/view-script.ts';
import type { DeltaBytes } from './delta-bytes.ts';
import { FeedTable, type Moved, type NetworkMove } from './feed-table.ts';

const [h1, h2] = [nodeId(1), nodeId(2)];
const row = (endpoint: number, node: number): EndpointRow => ({
  ...scriptEndpoint(endpoint, 7, node),
  vtep: scriptNode(node).dataPath,
});

/** A network with two endpoints on host 1, at revision 5. */
function newTable(): FeedTable {
  const rows = new Map([9, 10].map((endpoint) => [endpointId(endpoint), row(endpoint, 1)]));
  return new FeedTable({ value: scriptNetwork(7), revision: 5n }, 5n, { ...noRows(), endpoint: rows });
}

/** The next step of the table, to the next revision. `network`: as the network itself is then. */
function move(
  table: FeedTable,
  upserts: readonly EndpointRow[],
  removed: readonly number[] = [],
  network?: Network,
): Moved {
  const [from, to] = [table.revision, table.revision + 1n];
  const endpoint = { upserts, removed: removed.map(endpointId) };
  const changed: NetworkMove['changed'] = network && { value: network, revision: to };
  return table.move({
    kind: 'move',
    network: networkId(7),
    from,
    to,
    changed,
    changes: { ...noRowChanges(), endpoint },
  });
}

/** The hosts of the table after a step with these changes. */
function after(upserts: readonly EndpointRow[], removed: readonly number[]): Moved & { readonly hosts: unknown } {
  const table = newTable();
  const moved = move(table, upserts, removed);
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

const [former, newest] = [feedVersions[0], feedVersions.at(-1)] as [FeedVersion, FeedVersion];

function read(bytes: Uint8Array | undefined): Delta {
  const { message } = ConnectResponse.fromBinary(bytes ?? new Uint8Array());
  if (message.oneofKind !== 'delta') throw new Error(`no delta: ${message.oneofKind}`);
  return message.delta;
}

describe('the delta of several steps', () => {
  /** What the delta from revision 5 says. */
  const since = (table: FeedTable) => {
    const { from, to, network, endpoints, removedEndpointIds } = read(table.since(5n)?.of(newest));
    return { from, to, network: network?.mtu, rows: endpoints.map(({ id }) => id), removed: removedEndpointIds };
  };

  test.each<[string, (table: FeedTable) => void, Partial<ReturnType<typeof since>>]>([
    ['names a row that changed twice once', (table) => [1, 2].map((node) => move(table, [row(9, node)])), {}],
    [
      'names a row that was added and changed once',
      (table) => [1, 2].map((node) => move(table, [row(11, node)])),
      { rows: [endpointId(11)] },
    ],
    [
      'says nothing of a row that came and went',
      (table) => [move(table, [row(11, 1)]), move(table, [], [11])],
      { rows: [] },
    ],
    [
      'removes a row that changed and went',
      (table) => [move(table, [row(9, 2)]), move(table, [], [9])],
      { rows: [], removed: [endpointId(9)] },
    ],
    [
      'has the present row, not its removal, when the row went and came again',
      (table) => [move(table, [], [9]), move(table, [row(9, 2)])],
      {},
    ],
    [
      'has the network when any of the steps changed the network',
      (table) => [move(table, [row(9, 2)], [], scriptNetwork(7, 1400)), move(table, [], [])],
      { network: 1400 },
    ],
  ])('%s', (_, steps, expected) => {
    const table = newTable();
    steps(table);
    expect(since(table)).toEqual({
      ...{ from: 5n, to: 7n, network: undefined, rows: [endpointId(9)], removed: [] },
      ...expected,
    });
  });

  test('does not exist from a revision that the history does not begin at', () => {
    const table = newTable();
    move(table, [row(9, 2)]);
    expect([table.since(4n), table.since(6n)]).toEqual([undefined, undefined]);
    table.close();
    expect(table.since(5n)).toBeUndefined();
  });
});

test('the whole network, and a delta, are encoded once for each revision', () => {
  const table = newTable();
  const whole = table.complete(newest);
  expect(table.complete(newest)).toBe(whole);
  expect(table.complete(former)).not.toBe(whole);
  move(table, [row(9, 2)]);
  expect(table.complete(newest)).not.toBe(whole);
  const delta = table.since(5n);
  expect(delta).toBeInstanceOf(Object);
  expect(table.since(5n)).toBe(delta);
  move(table, [row(9, 1)]);
  expect(table.since(5n)).not.toBe(delta);
});

test('the digest is that of a table that was made with the same content; a version that is not spoken has none', () => {
  const [moved, made] = [newTable(), newTable()];
  move(moved, [row(9, 2), row(11, 2)], [], scriptNetwork(7, 1400));
  expect(moved.digest(newest)).not.toBe(made.digest(newest));
  move(moved, [row(9, 1)], [11], scriptNetwork(7));
  for (const feed of feedVersions) expect(moved.digest(feed)).toBe(made.digest(feed));
  expect(moved.digest({ ...newest })).toBe(0n);
});

describe('a holder of the network at a revision', () => {
  /** A table at revision 7, after two steps, and the digests that it had at each revision. */
  const world = (): { table: FeedTable; digests: Map<bigint, bigint> } => {
    const table = newTable();
    const digests = new Map([[5n, table.digest(newest)]]);
    for (const node of [2, 3]) {
      move(table, [row(9, node)]);
      digests.set(table.revision, table.digest(newest));
    }
    return { table, digests };
  };
  const answer = (step: DeltaBytes | 'nothing' | undefined): string => {
    if (step === undefined) return 'the whole network';
    if (step === 'nothing') return step;
    const { from, to, endpoints } = read(step.of(newest));
    return `${from} to ${to}, ${endpoints.length} rows`;
  };

  test.each<[string, bigint, bigint, number, string]>([
    ['the present one, with its content', 7n, 7n, newest.number, 'nothing'],
    ['an older one, with its content', 5n, 5n, newest.number, '5 to 7, 1 rows'],
    ['the last but one, with its content', 6n, 6n, newest.number, '6 to 7, 1 rows'],
    ['an older one, with the present content', 5n, 7n, newest.number, '5 to 7, 0 rows'],
    ['one that the history has no more, with the present content', 2n, 7n, newest.number, '2 to 7, 0 rows'],
    ['one that the history has no more, with other content', 2n, 5n, newest.number, 'the whole network'],
    ['an older one, with other content', 5n, 6n, newest.number, 'the whole network'],
    ['the present one, with other content', 7n, 5n, newest.number, 'the whole network'],
    ['one that does not exist yet, with the present content', 8n, 7n, newest.number, 'the whole network'],
    ['the present one, by the digest of another feed version', 7n, 7n, former.number, 'the whole network'],
    ['the present one, by the digest of an unknown feed version', 7n, 7n, 99, 'the whole network'],
  ])('%s', (_, revision, contentOf, feedVersion, expected) => {
    const { table, digests } = world();
    const cursor = { networkId: networkId(7), revision, digest: digests.get(contentOf) ?? 0n, feedVersion };
    expect(answer(table.continued(cursor, newest))).toBe(expected);
  });
});
