import { describe, expect, test } from 'vitest';
import { networkId, nodeId } from '../testing/view-script.ts';
import { HostProgress } from './host-progress.ts';
import type { Publication } from './publisher.ts';
import type { Tables } from './steps.ts';

const [n1, n2] = [nodeId(1), nodeId(2)];
const blue = networkId(7);

interface World {
  readonly progress: HostProgress;
  readonly hosts: Map<string, number>;
  /** The host has no endpoint of the network any more. */
  leave(n: typeof n1): void;
  /** The network moves; these hosts get their first endpoint of it. */
  step(from: bigint, to: bigint, ...joined: (typeof n1)[]): void;
  at(now: number): void;
}

function world(...on: readonly number[]): World {
  let now = 0;
  const hosts = new Map<string, number>(on.map((n) => [nodeId(n), 1]));
  const table = { id: blue, hosts, revision: 100n };
  const tables = new Map([[blue, table]]) as unknown as Tables;
  const networksOn = (node: string): ReadonlySet<typeof blue> => new Set(hosts.has(node) ? [blue] : []);
  const progress = new HostProgress({ tables, view: { networksOn }, clock: { now: () => now } });
  const moved = (from: bigint, to: bigint, joined: (typeof n1)[], left: (typeof n1)[]): void =>
    progress.published({ kind: 'moved', table, from, to, joined: new Set(joined), left } as unknown as Publication);
  return {
    ...{ progress, hosts },
    leave: (node) => {
      hosts.delete(node);
      moved(99n, 100n, [], [node]);
    },
    step: (from, to, ...joined) => moved(from, to, joined, []),
    at: (time) => {
      now = time;
    },
  };
}

describe('how far the hosts of a network are', () => {
  test('before any session: silent since the leader was elected', () => {
    const { progress, at } = world(1, 2);
    at(500);
    progress.reset();
    expect(progress.of(blue)).toEqual({ silentSince: 500 });
    expect(progress.silentSince(n1)).toBe(500);
  });

  test('the lowest reported revision; a session without a report holds everything up', () => {
    const { progress } = world(1, 2);
    progress.sessionBegan(n1, []);
    progress.sessionBegan(n2, []);
    progress.applied(n1, blue, 9n);
    expect(progress.of(blue)).toEqual({ floor: 0n });
    progress.applied(n2, blue, 8n);
    progress.applied(n2, blue, 5n);
    expect(progress.of(blue)).toEqual({ floor: 8n });
  });

  test('no host has applied a revision that does not exist', () => {
    const { progress } = world(1);
    progress.sessionBegan(n1, []);
    progress.applied(n1, blue, 1_000n);
    expect(progress.of(blue)).toEqual({ floor: 100n });
  });

  test('a lost session is silent, and a new session begins without a report', () => {
    const { progress, at } = world(1, 2);
    for (const node of [n1, n2]) {
      progress.sessionBegan(node, []);
      progress.applied(node, blue, 9n);
    }
    at(700);
    progress.sessionEnded(n2);
    expect(progress.of(blue)).toEqual({ floor: 9n, silentSince: 700 });
    progress.sessionBegan(n2, []);
    expect(progress.of(blue)).toEqual({ floor: 0n });
  });

  test('a host that left counts until it says that nothing is left', () => {
    const { progress, leave } = world(1, 2);
    for (const node of [n1, n2]) progress.sessionBegan(node, []);
    progress.applied(n1, blue, 9n);
    progress.applied(n2, blue, 4n);
    leave(n2);
    progress.applied(n2, blue, 90n);
    expect(progress.of(blue)).toEqual({ floor: 4n });
    progress.withdrawn(n2, blue);
    expect(progress.of(blue)).toEqual({ floor: 9n });
  });

  test('a host that left and is back: its report that nothing is left is ignored', () => {
    const { progress, hosts, leave } = world(1);
    progress.sessionBegan(n1, []);
    progress.applied(n1, blue, 4n);
    leave(n1);
    hosts.set(n1, 1);
    progress.withdrawn(n1, blue);
    expect(progress.of(blue)).toEqual({ floor: 4n });
  });

  test('a host that connects with a network that it should not have holds the network', () => {
    const { progress } = world();
    progress.sessionBegan(n1, [blue]);
    expect(progress.of(blue)).toEqual({ floor: 0n });
    progress.withdrawn(n1, blue);
    expect(progress.of(blue)).toEqual({});
  });

  test('a host that was removed holds nothing', () => {
    const { progress, at } = world();
    progress.sessionBegan(n1, [blue]);
    at(5);
    progress.sessionEnded(n1);
    expect(progress.of(blue)).toEqual({ silentSince: 5 });
    progress.forget(n1);
    expect(progress.of(blue)).toEqual({});
  });
});

describe('what hosts hold now', () => {
  const unknown = networkId(8);

  test('of a network that exists: which hosts have its present revision', () => {
    const { progress } = world(1, 2);
    for (const node of [n1, n2]) progress.sessionBegan(node, []);
    progress.applied(n1, blue, 100n);
    progress.applied(n2, blue, 99n);
    expect(progress.summaryNow(blue)).toMatchObject({
      revision: 100n,
      have: 1,
      want: 2,
      waiting: [n2],
      unreachable: [],
    });
    expect(progress.heldBy(n1, blue)).toEqual({ revision: 100n, applied: true });
    expect(progress.heldBy(n2, blue)).toEqual({ revision: 100n, applied: false });
  });

  test('of a network that does not exist: nothing', () => {
    const { progress } = world(1);
    progress.sessionBegan(n1, []);
    expect([progress.summaryNow(unknown), progress.heldBy(n1, unknown)]).toEqual([undefined, undefined]);
  });
});

describe('how long hosts took', () => {
  const latency = (progress: HostProgress, revision: bigint): number => progress.summaryOf(blue, revision).p99Ms;

  test('one report can finish several steps, each with its own time', () => {
    const { progress, step, at } = world(1);
    progress.sessionBegan(n1, []);
    at(100);
    step(1n, 2n, n1);
    at(110);
    step(2n, 5n);
    at(120);
    step(5n, 6n);
    at(150);
    progress.applied(n1, blue, 5n);
    expect([2n, 3n, 5n, 6n].map((revision) => latency(progress, revision))).toEqual([50, 40, 40, 0]);
  });

  test('a report says nothing twice', () => {
    const { progress, step, at } = world(1);
    progress.sessionBegan(n1, []);
    at(100);
    step(1n, 2n, n1);
    at(150);
    progress.applied(n1, blue, 2n);
    at(900);
    progress.applied(n1, blue, 2n);
    progress.applied(n1, blue, 1n);
    expect(latency(progress, 2n)).toBe(50);
    expect(progress.of(blue)).toEqual({ floor: 2n });
  });

  test('the first report of a session is no latency: the host may have had it long ago', () => {
    const { progress, step, at } = world(1);
    progress.sessionBegan(n1, []);
    at(100);
    step(1n, 2n);
    at(60_000);
    progress.applied(n1, blue, 2n);
    expect(latency(progress, 2n)).toBe(0);
    expect(progress.summaryOf(blue, 2n)).toMatchObject({ have: 1, want: 1 });
  });

  test('a host that left and came back is timed from there on', () => {
    const { progress, hosts, leave, step, at } = world(1);
    progress.sessionBegan(n1, []);
    progress.applied(n1, blue, 5n);
    leave(n1);
    step(5n, 6n);
    hosts.set(n1, 1);
    at(10);
    step(6n, 7n, n1);
    at(30);
    progress.applied(n1, blue, 7n);
    expect([6n, 7n].map((revision) => latency(progress, revision))).toEqual([0, 20]);
  });
});

describe('a wait', () => {
  const never = new AbortController().signal;

  test('leaves nothing behind, however it ends', async () => {
    const { progress } = world(1);
    progress.sessionBegan(n1, []);
    const limit = new AbortController();
    const given = progress.waitFollowed(n1, blue, 9n, limit.signal);
    const reached = progress.waitFollowed(n1, blue, 9n, never);
    const applied = progress.waitApplied(blue, 9n, never);
    limit.abort();
    expect(await given).toBe(false);
    progress.applied(n1, blue, 9n);
    expect(await reached).toBe(true);
    await applied;
    expect(progress.waiting).toBe(0);
  });

  test('for what is there already ends at once', async () => {
    const { progress } = world(1);
    progress.sessionBegan(n1, []);
    progress.applied(n1, blue, 9n);
    expect(await progress.waitFollowed(n1, blue, 9n, never)).toBe(true);
    expect(await progress.waitFollowed(n1, blue, 9n, AbortSignal.abort())).toBe(false);
    await progress.waitApplied(blue, 9n, never);
  });

  test('does not end for a host without a session, although the host may hold nothing', async () => {
    const { progress } = world();
    const limit = new AbortController();
    const followed = progress.waitFollowed(n1, blue, 9n, limit.signal);
    expect(progress.waiting).toBe(1);
    limit.abort();
    expect(await followed).toBe(false);
  });

  test('ends when the host that is waited for says that nothing is left', async () => {
    const { progress, leave } = world(1);
    progress.sessionBegan(n1, []);
    const followed = progress.waitFollowed(n1, blue, 100n, never);
    leave(n1);
    progress.withdrawn(n1, blue);
    expect(await followed).toBe(true);
  });
});
