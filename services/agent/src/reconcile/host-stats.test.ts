import type { EndpointId, NetworkId } from '@causeway/model';
import { Drift } from '@causeway/proto/gen/causeway/v1/types.js';
import { beforeEach, describe, expect, it } from 'vitest';
import { HostStats } from './host-stats.ts';

const [blue, green] = ['b10e000000000001', '69ee000000000001'] as NetworkId[] as [NetworkId, NetworkId];
const endpoint = 'e000000000000001' as EndpointId;
const drift = (key: string): Drift => Drift.create({ key });
const stamp = (revision: bigint, epoch = 1n) => ({ epoch, revision });

let stats: HostStats;
let changes: number;

beforeEach(() => {
  stats = new HostStats();
  changes = 0;
  stats.onChange(() => changes++);
});

describe('standing differences', () => {
  it('are the sum over all places, and over the places of each network', () => {
    stats.unresolved('host', 1);
    stats.unresolved(blue, 2);
    stats.unresolved(`${blue}/${endpoint}`, 1);
    stats.unresolved(green, 4);
    stats.unresolved('/run/netns/web', 8);
    expect(stats.drift).toBe(16);
    expect(stats.networkDrift).toEqual([
      [blue, 3],
      [green, 4],
    ]);
  });

  it('are replaced by the next count of the place, and gone when it is 0', () => {
    stats.unresolved(blue, 2);
    stats.unresolved(blue, 1);
    expect([stats.drift, changes]).toEqual([1, 2]);
    stats.unresolved(blue, 0);
    expect([stats.drift, stats.networkDrift, changes]).toEqual([0, [], 3]);
  });

  it('are no news when the count is the same', () => {
    stats.unresolved(blue, 0);
    stats.unresolved(green, 2);
    stats.unresolved(green, 2);
    expect(changes).toBe(1);
  });
});

describe('the applied revision of a network', () => {
  it('is the last that was reached; the same again is no news', () => {
    stats.reached(blue, stamp(5n));
    stats.reached(blue, stamp(5n));
    expect(changes).toBe(1);
    stats.reached(blue, stamp(6n));
    stats.reached(blue, stamp(6n, 2n));
    expect([changes, stats.applied.get(blue)]).toEqual([3, stamp(6n, 2n)]);
  });

  it('ends with the network, which is reported as removed once', () => {
    stats.reached(blue, stamp(5n));
    stats.unresolved(blue, 2);
    stats.forget(blue);
    expect([stats.applied.size, stats.drift]).toEqual([0, 0]);
    expect([stats.takeRemoved(), stats.takeRemoved()]).toEqual([[blue], []]);
  });

  it('begins again when the network comes back before its removal is reported', () => {
    stats.forget(blue);
    stats.reached(blue, stamp(7n));
    expect(stats.takeRemoved()).toEqual([]);
  });
});

describe('repairs', () => {
  it('are counted all, and reported once', () => {
    stats.repaired([drift('a'), drift('b')]);
    stats.repaired([drift('c')]);
    expect([stats.repairs, changes]).toEqual([3, 2]);
    expect(stats.takeUnreported().map(({ key }) => key)).toEqual(['a', 'b', 'c']);
    expect(stats.takeUnreported()).toEqual([]);
  });

  it('are no news when there are none', () => {
    stats.repaired([]);
    expect(changes).toBe(0);
  });

  it('that wait for a report are the newest thousand', () => {
    stats.repaired(Array.from({ length: 1_001 }, (_, i) => drift(`${i}`)));
    expect(stats.repairs).toBe(1_001);
    const waiting = stats.takeUnreported();
    expect([waiting.length, waiting[0]?.key]).toEqual([1_000, '1']);
  });
});

it('an epoch is recovered once', () => {
  stats.recover(2n);
  stats.recover(2n);
  expect([stats.recovered, changes]).toEqual([2n, 1]);
  stats.recover(3n);
  expect([stats.recovered, changes]).toEqual([3n, 2]);
});

it('kept endpoints are reported once', () => {
  stats.kept(endpoint);
  expect([stats.takeKept(), stats.takeKept(), changes]).toEqual([[endpoint], [], 1]);
});

it('announcements are counted: those that were sent, and those that were dropped', () => {
  for (const count of [2, 3]) stats.announced(count);
  for (const count of [1, 4]) stats.notAnnounced(count);
  expect([stats.announcedCount, stats.notAnnouncedCount]).toEqual([5, 5]);
});

it('steps and refusals are counted', () => {
  stats.wrote(2);
  stats.wrote(3);
  for (const errno of ['EBUSY', 'EEXIST', 'EBUSY']) stats.failed(errno);
  expect(stats.kernelWrites).toBe(5);
  expect([...stats.failedOps]).toEqual([
    ['EBUSY', 2],
    ['EEXIST', 1],
  ]);
});
