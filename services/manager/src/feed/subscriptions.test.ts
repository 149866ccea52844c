import { type FeedVersion, feedVersions, noRowChanges, noRows, tableDigest } from '@causeway/model';
import { ConnectResponse } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { describe, expect, test } from 'vitest';
import { networkId, scriptEndpoint, scriptNetwork, scriptNode } from '../testing/view-script.ts';
import { FeedTable } from './feed-table.ts';
import { backlogLimit, type SubscriptionEvent, Subscriptions } from './subscriptions.ts';

const feed = feedVersions.at(-1) as FeedVersion;
const numbers = [7, 8];

/** Networks with one endpoint each, at revision 5. */
function tables(): Map<ReturnType<typeof networkId>, FeedTable> {
  return new Map(
    numbers.map((n) => {
      const row = { ...scriptEndpoint(n, n, 1), vtep: scriptNode(1).dataPath };
      return [
        networkId(n),
        new FeedTable({ value: scriptNetwork(n), revision: 5n }, 5n, {
          ...noRows(),
          endpoint: new Map([[row.id, row]]),
        }),
      ];
    }),
  );
}

function sessionOf(): (event: SubscriptionEvent, backlog: number) => string[] {
  const subscriptions = new Subscriptions(tables(), () => 5n, feed);
  return (event, backlog) =>
    subscriptions.step(event, backlog).map((bytes) => ConnectResponse.fromBinary(bytes).message.oneofKind ?? 'nothing');
}

const subscribed = numbers.map(networkId);
const newHost: SubscriptionEvent = { kind: 'hello', cursors: [], subscribed, continues: true };

/** When an agent gets Ready, it must have all its networks: it removes everything else. */
test.each([
  ['no room for any table', backlogLimit, [], ['complete', 'complete', 'ready']],
  ['room for the first table only', backlogLimit - 1, ['complete'], ['complete', 'ready']],
  ['room for all', 0, ['complete', 'complete', 'ready'], []],
])('Ready is sent when no table and no change is owed any more: %s', (_, backlog, first, later) => {
  const step = sessionOf();
  expect(step(newHost, backlog)).toEqual(first);
  expect(step({ kind: 'room' }, backlogLimit)).toEqual([]);
  expect(step({ kind: 'room' }, 0)).toEqual(later);
  expect(step({ kind: 'room' }, 0)).toEqual([]);
});

test('a network that the agent should not have is not sent again, whatever the agent asks for', () => {
  const step = sessionOf();
  step({ ...newHost, subscribed: [networkId(7)] }, 0);
  expect(step({ kind: 'resync', network: networkId(8) }, 0)).toEqual([]);
  expect(step({ kind: 'moved', network: networkId(8) }, 0)).toEqual([]);
  expect(step({ kind: 'resync', network: networkId(7) }, 0)).toEqual(['complete']);
});

test('Ready waits for the table that a step without room has made owed', () => {
  const step = sessionOf();
  const known = tables();
  const cursors = numbers.map((n) => {
    const table = known.get(networkId(n));
    if (table === undefined) throw new Error(`no table of ${n}`);
    const digest = tableDigest(feed, table.network.value, table.rows);
    return { networkId: networkId(n), revision: 4n, digest, feedVersion: feed.number };
  });
  expect(step({ ...newHost, cursors }, backlogLimit)).toEqual([]);
  expect(step({ kind: 'room' }, 0)).toEqual(['complete', 'complete', 'ready']);
});

describe('an agent', () => {
  const owned = networkId(7);
  /** Tables that a test can change, and the agent's subscriptions. */
  function world() {
    const known = tables();
    const subscriptions = new Subscriptions(known, () => 9n, feed);
    const step = (event: SubscriptionEvent, backlog = 0): string[] =>
      subscriptions.step(event, backlog).map((bytes) => {
        const { message } = ConnectResponse.fromBinary(bytes);
        switch (message.oneofKind) {
          case 'delta':
            return `delta ${message.delta.from} to ${message.delta.to}`;
          case 'withdraw':
            return `withdraw ${message.withdraw.networkId}`;
          case 'ready':
            return `ready ${message.ready.revision}`;
          default:
            return message.oneofKind ?? 'nothing';
        }
      });
    /** Moves a table to its next revision. */
    const move = (network: typeof owned): void => {
      const table = known.get(network);
      if (table === undefined) throw new Error(`no table of ${network}`);
      const [from, to] = [table.revision, table.revision + 1n];
      table.move({ kind: 'move', network, from, to, changed: undefined, changes: noRowChanges() });
    };
    const cursor = (network: typeof owned, revision = 5n) => {
      const digest = known.get(network)?.digest(feed) ?? 0n;
      return { networkId: network, revision, digest, feedVersion: feed.number };
    };
    return { known, subscriptions, step, move, cursor };
  }
  const hello = (cursors: Extract<SubscriptionEvent, { kind: 'hello' }>['cursors'], continues = true) =>
    ({ kind: 'hello', cursors, subscribed: [owned], continues }) as const;

  test('of a host without networks is ready at once, and only once', () => {
    const { subscriptions, step } = world();
    expect(subscriptions.isReady).toBe(false);
    expect(step({ ...newHost, subscribed: [] })).toEqual(['ready 9']);
    expect(subscriptions.isReady).toBe(true);
    expect(step({ kind: 'room' })).toEqual([]);
  });

  test('that holds the present gets nothing but Ready', () => {
    const { step, cursor } = world();
    expect(step(hello([cursor(owned)]))).toEqual(['ready 9']);
  });

  test('that holds the present content at an older revision gets an empty delta', () => {
    const { step, cursor } = world();
    expect(step(hello([cursor(owned, 4n)]))).toEqual(['delta 4 to 5', 'ready 9']);
  });

  test('whose cursors are of another cluster gets the network whole', () => {
    const { step, cursor } = world();
    expect(step(hello([cursor(owned)], false))).toEqual(['complete', 'ready 9']);
  });

  test('that names one network twice is continued from the last cursor', () => {
    const { step, cursor } = world();
    expect(step(hello([cursor(owned, 3n), cursor(owned, 4n)]))).toEqual(['delta 4 to 5', 'ready 9']);
  });

  test('that holds a network of which its host has no endpoint must remove the network', () => {
    const { step, cursor } = world();
    const other = networkId(8);
    expect(step(hello([cursor(other)]))).toEqual([`withdraw ${other}`, 'complete', 'ready 9']);
  });

  test('of a host whose network has no table yet is ready, and gets the table when there is one', () => {
    const { known, step, cursor } = world();
    const table = known.get(owned);
    known.delete(owned);
    expect(step(hello([cursor(owned)]))).toEqual(['ready 9']);
    if (table !== undefined) known.set(owned, table);
    expect(step({ kind: 'moved', network: owned })).toEqual(['complete']);
  });

  test('gets a delta from what it holds, and nothing when it holds the present', () => {
    const { step, move } = world();
    step(hello([]));
    expect(step({ kind: 'moved', network: owned })).toEqual([]);
    move(owned);
    move(owned);
    expect(step({ kind: 'moved', network: owned })).toEqual(['delta 5 to 7']);
    expect(step({ kind: 'moved', network: owned })).toEqual([]);
  });

  test('gets the network whole when its history is lost', () => {
    const { known, step, move } = world();
    step(hello([]));
    move(owned);
    known.get(owned)?.close();
    expect(step({ kind: 'moved', network: owned })).toEqual(['complete']);
  });

  test('that asks again gets the network whole', () => {
    const { step } = world();
    step(hello([]));
    expect(step({ kind: 'resync', network: owned })).toEqual(['complete']);
  });

  test('of a host with a new network gets the network with its next change', () => {
    const { step } = world();
    step(hello([]));
    expect(step({ kind: 'subscribed', network: networkId(8) })).toEqual([]);
    expect(step({ kind: 'moved', network: networkId(8) })).toEqual(['complete']);
  });

  test('must remove a network once, and only a network that it has', () => {
    const { step } = world();
    step(hello([]));
    expect(step({ kind: 'unsubscribed', network: networkId(8) })).toEqual([]);
    expect(step({ kind: 'unsubscribed', network: owned })).toEqual([`withdraw ${owned}`]);
    expect(step({ kind: 'unsubscribed', network: owned })).toEqual([]);
  });

  test('that waits for room waits no more when its host loses the network', () => {
    const { subscriptions, step, move } = world();
    step(hello([]));
    expect(subscriptions.isBehind).toBe(false);
    move(owned);
    expect(step({ kind: 'moved', network: owned }, backlogLimit)).toEqual([]);
    expect(subscriptions.isBehind).toBe(true);
    expect(step({ kind: 'unsubscribed', network: owned }, backlogLimit)).toEqual([`withdraw ${owned}`]);
    expect(subscriptions.isBehind).toBe(false);
    expect(step({ kind: 'room' })).toEqual([]);
  });

  test('that waits for room gets what is due as soon as there is a byte', () => {
    const { subscriptions, step, move } = world();
    step(hello([]));
    move(owned);
    step({ kind: 'moved', network: owned }, backlogLimit);
    expect(step({ kind: 'room' }, backlogLimit - 1)).toEqual(['delta 5 to 6']);
    expect(subscriptions.isBehind).toBe(false);
  });

  test('that waits for room waits no more when the network is deleted', () => {
    const { known, subscriptions, step, move } = world();
    step(hello([]));
    move(owned);
    step({ kind: 'moved', network: owned }, backlogLimit);
    known.delete(owned);
    expect(step({ kind: 'room' })).toEqual([]);
    expect(subscriptions.isBehind).toBe(false);
  });

  test('is continued only as far as there is room', () => {
    const { step, move, cursor } = world();
    const from = cursor(owned);
    move(owned);
    expect(step(hello([from]), backlogLimit)).toEqual([]);
    expect(step({ kind: 'room' })).toEqual(['complete', 'ready 9']);
  });
});
