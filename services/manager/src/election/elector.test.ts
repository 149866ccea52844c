import { type Clock, milliseconds, seconds } from '@causeway/runtime';
import { FakeClock, MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { schema } from '../cluster/schema.ts';
import { createKeys } from '../store/keys.ts';
import { MemoryBackend } from '../store/memory-backend.ts';
import { records } from '../store/records/index.ts';
import type { StoreLease, Write } from '../store/store.ts';
import { CoreManager } from '../testing/core-manager.ts';
import { MemoryPorts } from '../testing/memory-ports.ts';
import { scriptCluster, scriptNode } from '../testing/view-script.ts';
import type { Dialer } from './dialer.ts';
import type { Leadership } from './leadership.ts';

const ttl = seconds(3);
const keys = createKeys();

let clock: FakeClock;
let backend: MemoryBackend;
let ports: MemoryPorts;
let first: CoreManager;
let second: CoreManager;
let notices: Leadership[];
/** Who dialled whom. */
let dialled: string[];

beforeEach(async () => {
  clock = new FakeClock();
  backend = new MemoryBackend({ clock });
  ports = new MemoryPorts({ clock });
  dialled = [];
  [first, second] = ['m1', 'm2'].map((name, i) => manager(name, i)) as [CoreManager, CoreManager];
  notices = [];
  second.elector.subscribe((leadership) => notices.push(leadership));
  await first.start();
  await clock.advance(milliseconds(1));
  await second.start();
  await clock.advance(milliseconds(1));
});

afterEach(async () => {
  for (const one of [first, second]) await clock.until(one.stop(), seconds(30));
  backend.close();
});

function manager(name: string, seed: number, log = new MemoryLog()): CoreManager {
  const dialer: Dialer = {
    dial: (address, signal) => {
      dialled.push(`${name} to ${address}`);
      return ports.dial(address, signal);
    },
  };
  const parts = { clock, backend, dialer, random: new SeededRandom(seed), log };
  const made = new CoreManager(parts, { name, ttl });
  ports.listen(name, () => made.leads);
  return made;
}

/** Acts as `kill -9`: the manager does nothing more, and its port is closed. */
function kill(name: string, one: CoreManager): void {
  one.pause();
  ports.close(name);
}

function term(): bigint | undefined {
  return backend.history.get(keys.leader)?.createRevision;
}

describe('Elector', () => {
  test('exactly one manager leads, and keeps leading while it can renew', async () => {
    const elected = term();
    expect(first.elector.leadership).toEqual({ role: 'leader', term: elected });
    expect(second.elector.leadership).toEqual({ role: 'follower', leader: { name: 'm1', address: 'm1' } });
    await clock.advance(seconds(60));
    expect(term()).toBe(elected);
    expect(first.elector.leadership).toEqual({ role: 'leader', term: elected });
  });

  test('a leader that is stopped hands over at once', async () => {
    await clock.until(first.stop(), milliseconds(1));
    await clock.advance(milliseconds(1));
    expect(second.elector.leadership).toEqual({ role: 'leader', term: term() });
    expect(notices).toEqual([
      { role: 'follower', leader: { name: 'm1', address: 'm1' } },
      { role: 'follower' },
      { role: 'leader', term: term() },
    ]);
  });

  test('a leader that is cut off steps down before another can lead; when it is back it stands by', async () => {
    const elected = term() ?? 0n;
    const began = clock.now();
    let resigned = Number.POSITIVE_INFINITY;
    let succeeded = 0;
    first.elector.subscribe(() => {
      resigned = Math.min(resigned, clock.now());
    });
    second.elector.subscribe(({ role }) => {
      if (role === 'leader') succeeded = clock.now();
    });
    first.store.setReachable(false);
    await clock.advance(seconds(10));
    expect(resigned).toBeLessThan(succeeded);
    expect(succeeded - began).toBeLessThanOrEqual(ttl + 1_000);
    expect(term()).toBeGreaterThan(elected);
    first.store.setReachable(true);
    await clock.advance(seconds(10));
    expect(first.elector.leadership).toEqual({ role: 'follower', leader: { name: 'm2', address: 'm2' } });
  });

  test('renewals may be lost, two in a row are too many', async () => {
    const elected = term();
    const losses = [false, true, false, true, false];
    first.store.fault = (operation) => (operation === 'lease' && losses.shift() === true ? 'refused' : 'none');
    await clock.advance(seconds(30));
    expect(term()).toBe(elected);
    first.store.fault = (operation) => (operation === 'lease' ? 'refused' : 'none');
    await clock.advance(seconds(30));
    expect(second.elector.leadership).toEqual({ role: 'leader', term: term() });
  });

  test('a leader that was paused finds itself deposed when it goes on', async () => {
    first.pause();
    await clock.advance(seconds(10));
    expect(second.elector.leadership.role).toBe('leader');
    expect(first.elector.leadership.role).toBe('leader');
    first.resume();
    await clock.advance(milliseconds(1));
    expect(first.elector.leadership).toEqual({ role: 'follower', leader: { name: 'm2', address: 'm2' } });
  });

  test('a term whose election got no answer is given back', async () => {
    await clock.until(first.stop(), milliseconds(1));
    await clock.until(second.stop(), milliseconds(1));
    const third = manager('m3', 3);
    let lost = 0;
    third.store.fault = (operation) => (operation === 'txn' && lost++ === 0 ? 'lost-reply' : 'none');
    await third.start();
    await clock.advance(seconds(20));
    expect(lost).toBeGreaterThan(1);
    expect(third.elector.leadership).toEqual({ role: 'leader', term: term() });
    await clock.until(third.stop(), seconds(1));
    expect(term()).toBeUndefined();
  });

  test('an election that is won too late is given back without a notice', async () => {
    await clock.until(first.stop(), milliseconds(1));
    await clock.until(second.stop(), milliseconds(1));
    const third = manager('m3', 3);
    const published: Leadership[] = [];
    third.elector.subscribe((leadership) => published.push(leadership));
    third.store.fault = (operation) => {
      third.store.latency = () => milliseconds(operation === 'txn' ? ttl / 2 : 0);
      return 'none';
    };
    await third.start();
    await clock.advance(milliseconds(2 * ttl));
    expect(published.filter(({ role }) => role === 'leader')).toEqual([]);
    third.store.fault = () => 'none';
    third.store.latency = () => milliseconds(0);
    await clock.advance(milliseconds(2 * ttl));
    expect(third.elector.leadership).toEqual({ role: 'leader', term: term() });
    await clock.until(third.stop(), seconds(1));
  });

  test('a leader whose renewals are refused steps down at its deadline, not at the next try after it', async () => {
    let resigned = 0;
    first.elector.subscribe(() => {
      resigned = clock.now();
    });
    first.store.fault = (operation) => (operation === 'lease' ? 'refused' : 'none');
    await clock.advance(seconds(2.5));
    expect(resigned).toBeGreaterThanOrEqual((ttl * 2) / 3);
    expect(resigned).toBeLessThanOrEqual((ttl * 2) / 3 + 1); // elected at 0 or 1 ms
  });

  test('an answer that has arrived while the process was busy counts, though it is read late', async () => {
    for (const one of [first, second]) await clock.until(one.stop(), milliseconds(1));
    let arrive = (): void => undefined;
    const busy: Clock = {
      now: () => clock.now(),
      wall: () => clock.wall(),
      sleep: (span, signal) => clock.sleep(span, signal),
      yield: async () => {
        arrive();
        for (let turn = 0; turn < 10; turn++) await clock.yield();
      },
    };
    const parts = { clock: busy, backend, random: new SeededRandom(3), log: new MemoryLog() };
    const third = new CoreManager(parts, { name: 'm3', ttl });
    const grant = third.store.grant.bind(third.store);
    third.store.grant = async (span) => {
      const lease = await grant(span);
      const renew: StoreLease['renew'] = async (signal) => {
        const granted = await lease.renew(signal);
        await new Promise<void>((resolve) => {
          arrive = resolve;
        });
        return granted;
      };
      return { id: lease.id, ttl: lease.ttl, renew, revoke: () => lease.revoke() };
    };
    await third.start();
    await clock.advance(seconds(1));
    const elected = term();
    expect(elected).toBeDefined();
    await clock.advance(seconds(20));
    expect(third.elector.leadership).toEqual({ role: 'leader', term: elected });
    await clock.until(third.stop(), seconds(1));
  });

  test.each([
    ['its election', 1, 1_000],
    ['its last renewal', 600, 1_500],
  ])(
    'a leader counts its own time to live from %s, although the store grants whole seconds',
    async (_, cutOff, end) => {
      for (const one of [first, second]) await clock.until(one.stop(), milliseconds(1));
      const parts = { clock, backend, random: new SeededRandom(3), log: new MemoryLog() };
      const third = new CoreManager(parts, { name: 'm3', ttl: seconds(1.5) });
      const began = clock.now();
      await third.start();
      await clock.advance(milliseconds(cutOff));
      let resigned = 0;
      third.elector.subscribe(() => {
        resigned = clock.now() - began;
      });
      third.store.fault = (operation) => (operation === 'lease' ? 'refused' : 'none');
      await clock.advance(seconds(1.8));
      expect(resigned).toBeGreaterThanOrEqual(end);
      expect(resigned).toBeLessThanOrEqual(end + 2);
      await clock.until(third.stop(), seconds(1));
    },
  );

  test('a store that refuses a call delays the election by a twentieth of the time to live', async () => {
    for (const one of [first, second]) await clock.until(one.stop(), milliseconds(1));
    const log = new MemoryLog();
    const third = manager('m3', 3, log);
    let refused = 0;
    third.store.fault = (operation) => (operation === 'lease' && refused++ === 0 ? 'refused' : 'none');
    await third.start();
    await clock.advance(milliseconds(ttl / 20 - 10));
    expect([refused, third.elector.leadership.role]).toEqual([1, 'follower']);
    await clock.advance(milliseconds(20));
    expect(third.elector.leadership.role).toBe('leader');
    expect(log.lines.map(({ event }) => event)).toEqual(['leader.campaign-failed', 'leader.elected']);
    await clock.until(third.stop(), seconds(1));
  });

  test.each([
    ['name', 'renamed', 'm1'],
    ['address', 'm1', 'm1-moved'],
  ])('another %s of the leader is published', async (_, name, address) => {
    const lease = first.view.leader?.lease ?? 0n;
    const value = records.leader.codec.encode({ name, address, since: 0, lease });
    await first.store.txn([], [{ kind: 'put', key: keys.leader, value, lease }]);
    await clock.advance(milliseconds(0));
    expect(notices.at(-1)).toEqual({ role: 'follower', leader: { name, address } });
  });

  test('records of a schema that the leader does not know end its term at once', async () => {
    const value = records.meta.codec.encode({ clusterId: scriptCluster, epoch: 1n, schema: schema + 1 });
    await second.store.txn([], [{ kind: 'put', key: keys.meta, value }]);
    await clock.advance(milliseconds(1));
    expect([first, second].map(({ elector }) => elector.leadership)).toEqual([
      { role: 'follower' },
      { role: 'follower' },
    ]);
    await clock.advance(seconds(10));
    expect(term()).toBeUndefined();
  });

  test('an election without an answer is given back when the call ends, long before its lease ends', async () => {
    for (const one of [first, second]) await clock.until(one.stop(), milliseconds(1));
    const parts = { clock, backend, random: new SeededRandom(3), log: new MemoryLog() };
    const third = new CoreManager(parts, { name: 'm3', ttl: seconds(60) });
    let lost = 0;
    third.store.fault = (operation) => (operation === 'txn' && lost++ === 0 ? 'lost-reply' : 'none');
    await third.start();
    await clock.advance(seconds(10));
    expect(third.elector.leadership).toEqual({ role: 'leader', term: term() });
    await clock.until(third.stop(), seconds(1));
  });

  test('a view that is read anew, and names no leader, makes a manager campaign at once', async () => {
    second.store.cut();
    await clock.until(first.stop(), milliseconds(1));
    backend.compact();
    await clock.advance(milliseconds(60));
    expect(second.elector.leadership).toEqual({ role: 'leader', term: term() });
  });

  test('a term that ends together with other changes has a successor at once', async () => {
    const elected = term() ?? 0n;
    const node = scriptNode(1);
    const writes: Write[] = [
      { kind: 'delete', key: keys.leader },
      { kind: 'put', key: keys.node(node.id), value: records.node.codec.encode(node) },
    ];
    await second.store.txn([], writes);
    await clock.advance(milliseconds(1));
    expect(term()).toBeGreaterThan(elected);
  });

  test('a change that leaves the leadership as it is causes no notice', async () => {
    first.elector.subscribe((leadership) => notices.push(leadership));
    notices.length = 0;
    const value = records.meta.codec.encode({ clusterId: scriptCluster, epoch: 1n, schema });
    await second.store.txn([], [{ kind: 'put', key: keys.meta, value }]);
    await clock.advance(milliseconds(1));
    expect(notices).toEqual([]);
  });

  test('a manager watches the leader once in each term, and never itself', async () => {
    const lease = first.view.leader?.lease ?? 0n;
    const value = records.leader.codec.encode({ name: 'renamed', address: 'm1', since: 0, lease });
    await clock.advance(seconds(2));
    dialled.length = 0;
    await first.store.txn([], [{ kind: 'put', key: keys.leader, value, lease }]);
    first.store.setReachable(false);
    await clock.advance(milliseconds(2_200));
    expect(first.elector.leadership.role).toBe('follower');
    first.store.setReachable(true);
    await clock.advance(milliseconds(100));
    expect(dialled, 'for the new term').toEqual(['m2 to m1']);
  });

  test('the log names elections and resignations, and nothing more when a leader hands over', async () => {
    const logs = [new MemoryLog(), new MemoryLog()] as const;
    for (const one of [first, second]) await clock.until(one.stop(), milliseconds(1));
    const [third, fourth] = [manager('m3', 3, logs[0]), manager('m4', 4, logs[1])];
    for (const one of [third, fourth]) await one.start();
    await clock.advance(seconds(2));
    for (const one of [third, fourth]) await clock.until(one.stop(), seconds(1));
    for (const log of logs)
      expect(log.lines.map(({ event }) => event).filter((event) => event.startsWith('leader.'))).toEqual([
        'leader.elected',
        'leader.resigned',
      ]);
  });

  test('a stand-by that is stopped has no term to give back', async () => {
    const log = new MemoryLog();
    const third = manager('m3', 3, log);
    await third.start();
    await clock.advance(seconds(2));
    await clock.until(third.stop(), seconds(1));
    expect(log.lines.filter(({ event }) => event.startsWith('leader.'))).toEqual([]);
  });

  test('the key deleted by hand: a new term, never the old one', async () => {
    const elected = term() ?? 0n;
    await second.store.txn([], [{ kind: 'delete', key: keys.leader }]);
    await clock.advance(seconds(1));
    expect(term()).toBeGreaterThan(elected);
    const roles = [first, second].map(({ elector }) => elector.leadership.role).sort();
    expect(roles).toEqual(['follower', 'leader']);
  });
});

describe('a leader whose process', () => {
  /** After this time the other managers have seen that the manager leads. */
  beforeEach(() => clock.advance(seconds(2)));

  test('is gone is replaced at once', async () => {
    const elected = term() ?? 0n;
    kill('m1', first);
    await clock.advance(milliseconds(100));
    expect(second.elector.leadership).toEqual({ role: 'leader', term: term() });
    expect(term()).toBeGreaterThan(elected);
  });

  test('hangs keeps its term until its lease ends', async () => {
    const elected = term();
    first.pause();
    await clock.advance(seconds(1));
    expect(term()).toBe(elected);
    await clock.advance(ttl);
    expect(second.elector.leadership).toEqual({ role: 'leader', term: term() });
  });

  test('cannot be reached, with every connection broken, keeps its term', async () => {
    const elected = term();
    ports.cut('m1');
    ports.breakConnections('m1');
    await clock.advance(seconds(60));
    expect(term()).toBe(elected);
    expect(first.elector.leadership).toEqual({ role: 'leader', term: elected });
  });

  test('has lost its connections and takes others keeps its term', async () => {
    const elected = term();
    for (let i = 0; i < 10; i++) {
      ports.breakConnections('m1');
      await clock.advance(seconds(1));
    }
    expect(term()).toBe(elected);
  });

  test('lives although its port is closed loses its term, and nothing is written in its term', async () => {
    const elected = term() ?? 0n;
    ports.close('m1');
    await clock.advance(milliseconds(100));
    expect(term()).toBeGreaterThan(elected);
    expect([first, second].filter(({ leads }) => leads)).toHaveLength(1);
    const late = await first.store.txn(
      [{ kind: 'created', key: keys.leader, createRevision: elected }],
      [{ kind: 'put', key: `${keys.prefix}late`, value: new Uint8Array() }],
    );
    expect(late.succeeded).toBe(false);
    await clock.advance(seconds(60));
    expect([first, second].filter(({ leads }) => leads)).toHaveLength(1);
  });

  test('lives, its port closed and its watch of the store broken: it steps down at its next renewal', async () => {
    const elected = term();
    first.store.reconnectDelay = () => seconds(60);
    first.store.cut();
    ports.close('m1');
    await clock.advance(milliseconds(100));
    expect(second.elector.leadership).toEqual({ role: 'leader', term: term() });
    expect(first.elector.leadership).toEqual({ role: 'leader', term: elected });
    await clock.advance(milliseconds(ttl / 3));
    expect(first.elector.leadership.role).toBe('follower');
    expect(second.elector.leadership).toEqual({ role: 'leader', term: term() });
  });

  test('is gone is replaced once, however many managers see it', async () => {
    const others = [manager('m3', 3), manager('m4', 4)];
    for (const one of others) await one.start();
    await clock.advance(seconds(1));
    const elected = backend.history.revision;
    kill('m1', first);
    await clock.advance(seconds(10));
    expect([second, ...others].filter(({ leads }) => leads)).toHaveLength(1);
    expect(term()).toBe(elected + 2n); // the end of the term, and the leader key of the next one
    for (const one of others) await clock.until(one.stop(), seconds(10));
  });

  test('was never seen to lead at its address keeps its term when the address refuses', async () => {
    await clock.until(second.stop(), milliseconds(1));
    ports.close('m1');
    const late = manager('m3', 3);
    await late.start();
    const elected = term();
    await clock.advance(seconds(60));
    expect(term()).toBe(elected);
    await clock.until(late.stop(), seconds(1));
  });

  test('is of a version that names no lease is replaced when the lease ends', async () => {
    const elected = term();
    const { name, address, since } = first.view.leader ?? { name: '', address: '', since: 0 };
    const [lease] = [first.view.leader?.lease ?? 0n];
    const value = records.leader.codec.encode({ name, address, since });
    await first.store.txn([], [{ kind: 'put', key: keys.leader, value, lease }]);
    kill('m1', first);
    await clock.advance(seconds(1));
    expect(term()).toBe(elected);
    await clock.advance(ttl);
    expect(second.elector.leadership).toEqual({ role: 'leader', term: term() });
  });
});

describe('a manager that is started again', () => {
  test('leads at once when its former process led and no other manager leads', async () => {
    await clock.until(second.stop(), milliseconds(1));
    const elected = term() ?? 0n;
    kill('m1', first);
    const again = manager('m1', 3);
    await again.start();
    await clock.advance(milliseconds(1));
    expect(again.elector.leadership).toEqual({ role: 'leader', term: term() });
    expect(term()).toBeGreaterThan(elected);
    await clock.until(again.stop(), seconds(1));
  });

  test('before the others tried again is not taken for the process that led', async () => {
    await clock.advance(seconds(2));
    const elected = term() ?? 0n;
    kill('m1', first);
    const again = manager('m1', 3); // the manager listens on its port, but does not take part in the election yet
    await clock.advance(milliseconds(100));
    expect(second.elector.leadership).toEqual({ role: 'leader', term: term() });
    expect(term()).toBeGreaterThan(elected);
    await again.start();
    await clock.advance(seconds(10));
    expect(again.elector.leadership).toEqual({ role: 'follower', leader: { name: 'm2', address: 'm2' } });
    await clock.until(again.stop(), seconds(1));
  });

  test.each([
    ['name', { name: 'm1', address: 'm3' }],
    ['address', { name: 'm3', address: 'm1' }],
  ])('and has only the %s of the leader is not the process that led', async (_, identity) => {
    await clock.until(second.stop(), milliseconds(1));
    const elected = term();
    first.pause();
    const parts = { clock, backend, random: new SeededRandom(3), log: new MemoryLog() };
    const other = new CoreManager(parts, { ...identity, ttl });
    await other.start();
    await clock.advance(seconds(1));
    expect(term()).toBe(elected);
    first.resume();
    await clock.until(other.stop(), seconds(1));
  });

  test('while its former process lives ends one term of it, and no more', async () => {
    const terms = new Set<bigint | undefined>();
    const again = manager('m1', 3);
    await again.start();
    for (let i = 0; i < 100; i++) {
      await clock.advance(milliseconds(100));
      terms.add(term());
    }
    expect(terms.size).toBe(1);
    await clock.until(again.stop(), seconds(1));
  });

  test('that has given up its term, which the store still has, ends that term', async () => {
    await clock.until(second.stop(), milliseconds(1));
    const elected = term() ?? 0n;
    first.store.setReachable(false);
    await clock.advance(milliseconds(2_100));
    expect(first.elector.leadership.role).toBe('follower');
    first.store.setReachable(true);
    await clock.advance(milliseconds(300));
    expect(first.elector.leadership).toEqual({ role: 'leader', term: term() });
    expect(term()).toBeGreaterThan(elected);
  });
});
