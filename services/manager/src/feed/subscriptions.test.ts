import { type FeedVersion, feedVersions, noRows, tableDigest } from '@causeway/model';
import { ConnectResponse } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { expect, test } from 'vitest';
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
