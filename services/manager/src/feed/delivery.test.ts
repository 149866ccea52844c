import { type NetworkId, type NodeId, noRows } from '@causeway/model';
import { milliseconds } from '@causeway/runtime';
import { FakeClock, MemoryLog } from '@causeway/runtime/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { networkId, nodeId, scriptEndpoint, scriptNetwork, scriptNode } from '../testing/view-script.ts';
import { Delivery, mostAtOnce } from './delivery.ts';
import { FeedTable } from './feed-table.ts';
import type { Publication } from './publisher.ts';
import type { Session } from './session.ts';
import type { SubscriptionEvent } from './subscriptions.ts';

const blue = networkId(7);
const pause = milliseconds(100);

let clock: FakeClock;
let log: MemoryLog;
let tables: Map<NetworkId, FeedTable>;
let delivery: Delivery;
let end: AbortController;
let running: Promise<void>;
/** What the sessions got: "h1 moved 7". */
let steps: string[];
let behind: Set<Session>;
/** Hosts without a session. */
let absent: Set<NodeId>;
/** Called before each step of a session. */
let onStep: (event: SubscriptionEvent) => void;

/** Sessions are only names here. */
const sessionOf = (node: NodeId): Session => node as unknown as Session;
const numberOf = (id: string): number => Number.parseInt(id.slice(1), 16);

beforeEach(() => {
  clock = new FakeClock();
  log = new MemoryLog();
  [tables, behind, absent, steps] = [new Map(), new Set(), new Set(), []];
  onStep = () => undefined;
  end = new AbortController();
  const sessions = {
    of: (node: NodeId) => (absent.has(node) ? undefined : sessionOf(node)),
    step(session: Session, event: SubscriptionEvent): void {
      onStep(event);
      const network = 'network' in event ? ` ${numberOf(event.network)}` : '';
      steps.push(`h${numberOf(session as unknown as string)} ${event.kind}${network}`);
    },
    get behind() {
      return behind;
    },
  };
  delivery = new Delivery({ tables, sessions, clock, log }, { pause: () => pause });
  running = delivery.run(end.signal);
});

afterEach(async () => {
  end.abort();
  await running;
  expect(clock.sleeping).toBe(0);
});

const take = (): string[] => steps.splice(0);
const settle = (): Promise<void> => clock.advance(milliseconds(0));

/** A network with one endpoint on each of these hosts. */
function table(n: number, hosts: readonly number[]): FeedTable {
  const rows = hosts.map((host) => ({ ...scriptEndpoint(host, n, host), vtep: scriptNode(1).dataPath }));
  const endpoint = new Map(rows.map((row) => [row.id, row]));
  const made = new FeedTable({ value: scriptNetwork(n), revision: 5n }, 5n, { ...noRows(), endpoint });
  tables.set(networkId(n), made);
  return made;
}

const moved = (of: FeedTable, joined: readonly number[] = [], left: readonly number[] = []): Publication => {
  return { kind: 'moved', table: of, from: 5n, to: 6n, joined: joined.map(nodeId), left: left.map(nodeId) };
};

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
const movedOn = (hosts: readonly number[], n = 7): string[] => hosts.map((host) => `h${host} moved ${n}`);

describe('a network', () => {
  test('that begins goes at once to all of its hosts; other hosts lose it', () => {
    delivery.publish([{ kind: 'begun', table: table(7, [1, 2]), left: [nodeId(3)] }]);
    expect(take()).toEqual(['h3 unsubscribed 7', 'h1 subscribed 7', 'h2 subscribed 7', ...movedOn([1, 2])]);
  });

  test('that changes goes to its hosts; only hosts that join or leave learn of that', () => {
    delivery.publish([moved(table(7, [1, 2]), [2], [3])]);
    expect(take()).toEqual(['h3 unsubscribed 7', 'h2 subscribed 7', ...movedOn([1, 2])]);
  });

  test('goes to no host without a session', () => {
    absent.add(nodeId(1));
    delivery.publish([moved(table(7, [1, 2]), [1], [])]);
    expect(take()).toEqual(movedOn([2]));
  });

  test('that is deleted is only taken away, and its waiting changes go nowhere', async () => {
    const gone = table(7, [1]);
    delivery.publish([moved(gone)]);
    delivery.publish([moved(gone)]);
    expect(take()).toEqual(movedOn([1]));
    tables.delete(blue);
    delivery.publish([{ kind: 'vanished', network: blue, left: [nodeId(1)] }]);
    expect(take()).toEqual(['h1 unsubscribed 7']);
    await clock.advance(milliseconds(1_000));
    expect(take()).toEqual([]);
  });

  test('that changes again waits for the end of its pause', async () => {
    const changing = table(7, [1]);
    for (let time = 0; time < 3; time++) delivery.publish([moved(changing)]);
    expect(take()).toEqual(movedOn([1]));
    await clock.advance(milliseconds(pause - 1));
    expect(take()).toEqual([]);
    await clock.advance(milliseconds(1));
    expect(take()).toEqual(movedOn([1]));
    await clock.advance(milliseconds(1_000));
    expect(take()).toEqual([]);
  });

  test('with as many hosts as one turn can serve is served at once', () => {
    delivery.publish([moved(table(7, numbers(mostAtOnce)))]);
    expect(take()).toEqual(movedOn(numbers(mostAtOnce)));
  });

  test('with more hosts is served in turns, after the call, each host once', async () => {
    const hosts = numbers(2 * mostAtOnce + 1);
    delivery.publish([moved(table(7, hosts))]);
    expect(take()).toEqual([]);
    await settle();
    expect(take()).toEqual(movedOn(hosts));
  });

  test('with many hosts does not hold up another network', async () => {
    const hosts = numbers(2 * mostAtOnce);
    const small = table(8, [1]);
    let turns = 0;
    onStep = (event) => {
      if (event.kind === 'moved' && event.network === blue && ++turns === 1) delivery.publish([moved(small)]);
    };
    delivery.publish([moved(table(7, hosts))]);
    await settle();
    expect(take().indexOf('h1 moved 8')).toBeLessThan(mostAtOnce);
  });

  test('with many hosts is served again after its pause', async () => {
    const large = table(7, numbers(mostAtOnce + 1));
    delivery.publish([moved(large)]);
    await settle();
    take();
    delivery.publish([moved(large)]);
    await clock.advance(milliseconds(pause - 1));
    expect(take()).toEqual([]);
    await clock.advance(milliseconds(1));
    expect(take()).toHaveLength(mostAtOnce + 1);
  });

  test('with many hosts that is deleted before its turn goes nowhere', async () => {
    delivery.publish([moved(table(7, numbers(mostAtOnce + 1)))]);
    tables.delete(blue);
    await settle();
    expect(take()).toEqual([]);
  });

  test('with many hosts is served no further when the manager stops', async () => {
    onStep = () => end.abort();
    delivery.publish([moved(table(7, numbers(2 * mostAtOnce)))]);
    await settle();
    expect(take()).toHaveLength(mostAtOnce);
  });
});

describe('an agent that waits for room', () => {
  test('is asked again every 50 ms until it has got everything', async () => {
    behind.add(sessionOf(nodeId(1)));
    delivery.lookForRoom();
    await clock.advance(milliseconds(49));
    expect(take()).toEqual([]);
    await clock.advance(milliseconds(1));
    expect(take()).toEqual(['h1 room']);
    await clock.advance(milliseconds(50));
    expect(take()).toEqual(['h1 room']);
    behind.clear();
    await clock.advance(milliseconds(1_000));
    expect(take()).toEqual([]);
    expect(clock.sleeping, 'no timer runs while no agent waits').toBe(0);
  });

  test('is found after a change, and after a large network was served', async () => {
    onStep = (event) => {
      if (event.kind === 'moved') behind.add(sessionOf(nodeId(1)));
      else behind.clear();
    };
    delivery.publish([moved(table(8, [1]))]);
    expect(take()).toEqual(['h1 moved 8']);
    await clock.advance(milliseconds(50));
    expect(take()).toEqual(['h1 room']);
    delivery.publish([moved(table(7, numbers(mostAtOnce + 1)))]);
    await settle();
    expect(take()).toHaveLength(mostAtOnce + 1);
    await clock.advance(milliseconds(50));
    expect(take()).toEqual(['h1 room']);
  });

  test('that fails does not end the work for others', async () => {
    behind.add(sessionOf(nodeId(1)));
    let failures = 0;
    onStep = () => {
      if (failures++ === 0) throw new Error('the session failed');
    };
    delivery.lookForRoom();
    await clock.advance(milliseconds(50));
    expect(log.lines.map(({ event }) => event)).toEqual(['session.failed']);
    await clock.advance(milliseconds(100));
    expect(take()).toEqual(['h1 room']);
    behind.clear();
    await clock.advance(milliseconds(100));
  });
});

test('no timer runs while no change waits', async () => {
  await settle();
  expect(clock.sleeping).toBe(0);
  delivery.publish([moved(table(8, [1]))]);
  await settle();
  expect(clock.sleeping, 'the pause has no end that brings a change').toBe(0);
});
