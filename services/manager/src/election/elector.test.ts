import { milliseconds, seconds } from '@causeway/runtime';
import { FakeClock, MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Keys } from '../store/keys.ts';
import { MemoryBackend } from '../store/memory-backend.ts';
import { CoreManager } from '../testing/core-manager.ts';
import type { Leadership } from './leadership.ts';

const ttl = seconds(3);
const keys = new Keys();

let clock: FakeClock;
let backend: MemoryBackend;
let first: CoreManager;
let second: CoreManager;
let told: Leadership[];

beforeEach(async () => {
  clock = new FakeClock();
  backend = new MemoryBackend({ clock });
  [first, second] = ['m1', 'm2'].map((name, i) => manager(name, i)) as [CoreManager, CoreManager];
  told = [];
  second.elector.subscribe((leadership) => told.push(leadership));
  await first.start();
  await clock.advance(milliseconds(1));
  await second.start();
  await clock.advance(milliseconds(1));
});

afterEach(async () => {
  for (const one of [first, second]) await clock.until(one.stop(), seconds(30));
  backend.close();
});

function manager(name: string, seed: number): CoreManager {
  return new CoreManager({ clock, backend, random: new SeededRandom(seed), log: new MemoryLog() }, { name, ttl });
}

function term(): bigint | undefined {
  return backend.history.get(keys.leader)?.createRevision;
}

describe('Elector', () => {
  test('exactly one leads, and keeps leading while it can renew', async () => {
    const elected = term();
    expect(first.elector.leadership).toEqual({ role: 'leader', term: elected });
    expect(second.elector.leadership).toEqual({ role: 'follower', leader: { name: 'm1', address: 'm1' } });
    await clock.advance(seconds(60));
    expect(term()).toBe(elected);
    expect(first.elector.leadership).toEqual({ role: 'leader', term: elected });
  });

  test('stopped, it hands over at once', async () => {
    await clock.until(first.stop(), milliseconds(1));
    await clock.advance(milliseconds(1));
    expect(second.elector.leadership).toEqual({ role: 'leader', term: term() });
    expect(told).toEqual([
      { role: 'follower', leader: { name: 'm1', address: 'm1' } },
      { role: 'follower' },
      { role: 'leader', term: term() },
    ]);
  });

  test('cut off, it steps down before another can lead; when it is back it stands by', async () => {
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

  test('paused in the middle, it finds itself deposed when it goes on', async () => {
    first.pause();
    await clock.advance(seconds(10));
    expect(second.elector.leadership.role).toBe('leader');
    expect(first.elector.leadership.role).toBe('leader');
    first.resume();
    await clock.advance(milliseconds(1));
    expect(first.elector.leadership).toEqual({ role: 'follower', leader: { name: 'm2', address: 'm2' } });
  });

  test('a victory it did not hear of is given back', async () => {
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

  test('a victory it hears of too late is given back, and nobody is told', async () => {
    await clock.until(first.stop(), milliseconds(1));
    await clock.until(second.stop(), milliseconds(1));
    const third = manager('m3', 3);
    const heard: Leadership[] = [];
    third.elector.subscribe((leadership) => heard.push(leadership));
    third.store.fault = (operation) => {
      third.store.latency = () => milliseconds(operation === 'txn' ? ttl / 2 : 0);
      return 'none';
    };
    await third.start();
    await clock.advance(milliseconds(2 * ttl));
    expect(heard.filter(({ role }) => role === 'leader')).toEqual([]);
    third.store.fault = () => 'none';
    third.store.latency = () => milliseconds(0);
    await clock.advance(milliseconds(2 * ttl));
    expect(third.elector.leadership).toEqual({ role: 'leader', term: term() });
    await clock.until(third.stop(), seconds(1));
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
