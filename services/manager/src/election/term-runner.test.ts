import { aborted, milliseconds, seconds } from '@causeway/runtime';
import { FakeClock, MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TermWriter } from '../commit/writer.ts';
import { nodeReady } from '../events/describe.ts';
import { MemoryStore } from '../store/memory.ts';
import { MemoryBackend } from '../store/memory-backend.ts';
import { View } from '../store/view.ts';
import { CoreManager } from '../testing/core-manager.ts';
import type { Leadership } from './leadership.ts';
import type { Term } from './term.ts';
import { TermRunner } from './term-runner.ts';

describe('TermRunner', () => {
  const log = new MemoryLog();
  let view: View;
  let seen: string[];
  let begun: Term[];
  let elect: (leadership: Leadership) => void;
  let runner: TermRunner;
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  beforeEach(() => {
    view = new View();
    seen = [];
    begun = [];
    const writer = {
      lead: (term: bigint): TermWriter => {
        seen.push(`writer leads ${term}`);
        return { apply: () => Promise.reject(new Error('not used')) };
      },
      follow: (leader?: string) => void seen.push(`writer follows ${leader}`),
    };
    const elector = {
      subscribe: (listener: typeof elect) => {
        elect = listener;
        return () => undefined;
      },
    };
    const controllers = () => [
      {
        run: (term: Term): Promise<void> => {
          begun.push(term);
          seen.push(`begins ${term.revision}`);
          term.signal.addEventListener('abort', () => seen.push(`ends ${term.revision}`));
          return aborted(term.signal);
        },
      },
    ];
    runner = new TermRunner({ elector, view, writer, controllers, log });
    runner.subscribe((leads) => void seen.push(leads ? 'leads' : 'does not lead'));
    runner.start();
  });

  test('nothing begins before the view has reached the term', async () => {
    view.apply({ kind: 'snapshot', revision: 5n, kvs: [] });
    elect({ role: 'leader', term: 9n });
    await settle();
    expect([runner.term, seen]).toEqual([undefined, ['writer follows undefined']]);
    view.apply({ kind: 'progress', revision: 9n });
    await settle();
    expect(seen.slice(1)).toEqual(['writer leads 9', 'begins 9', 'leads']);
    expect(runner.term?.revision).toBe(9n);
  });

  test('a term that is over before the view has reached it never begins', async () => {
    view.apply({ kind: 'snapshot', revision: 5n, kvs: [] });
    elect({ role: 'leader', term: 9n });
    elect({ role: 'follower', leader: { name: 'm2', address: 'm2:7443' } });
    elect({ role: 'leader', term: 12n });
    view.apply({ kind: 'progress', revision: 11n });
    await settle();
    expect(begun).toEqual([]);
    view.apply({ kind: 'progress', revision: 12n });
    await settle();
    expect(begun.map(({ revision }) => revision)).toEqual([12n]);
  });

  test('a term that is over in the turn in which the view reaches it never begins', async () => {
    view.apply({ kind: 'snapshot', revision: 5n, kvs: [] });
    elect({ role: 'leader', term: 9n });
    view.apply({ kind: 'progress', revision: 9n });
    elect({ role: 'follower' });
    await settle();
    expect([begun, runner.term]).toEqual([[], undefined]);
  });

  test('all ends in the turn in which the elector says so', async () => {
    view.apply({ kind: 'snapshot', revision: 9n, kvs: [] });
    elect({ role: 'leader', term: 9n });
    await settle();
    seen.length = 0;
    elect({ role: 'follower', leader: { name: 'm2', address: 'm2:7443' } });
    expect([runner.term, seen]).toEqual([undefined, ['ends 9', 'writer follows m2:7443', 'does not lead']]);
    await settle();
    expect(runner.running).toBe(0);
  });

  test('a controller that breaks is said to have, and the others go on', async () => {
    const broken = new Error('broken');
    const writer = { lead: () => ({ apply: () => Promise.reject(broken) }), follow: () => undefined };
    const lasting = { run: ({ signal }: Term) => aborted(signal) };
    const failing = { run: () => Promise.reject(broken) };
    const elector = {
      subscribe: (listener: typeof elect) => {
        elect = listener;
        return () => undefined;
      },
    };
    const other = new TermRunner({ elector, view, writer, log, controllers: () => [failing, lasting] });
    other.start();
    view.apply({ kind: 'snapshot', revision: 9n, kvs: [] });
    elect({ role: 'leader', term: 9n });
    await settle();
    expect(log.lines.map(({ event }) => event)).toContain('controller.failed');
    expect(other.running).toBe(1);
    await other.stop();
    expect(other.running).toBe(0);
  });
});

describe('all that a leader does', () => {
  let clock: FakeClock;
  let backend: MemoryBackend;
  let manager: CoreManager;

  beforeEach(async () => {
    clock = new FakeClock();
    backend = new MemoryBackend({ clock });
    const parts = { clock, backend, random: new SeededRandom(1), log: new MemoryLog() };
    manager = new CoreManager(parts, { name: 'm1', ttl: seconds(3) });
    await manager.start();
    await clock.advance(milliseconds(1));
  });

  afterEach(async () => {
    await clock.until(manager.stop(), seconds(60));
    backend.close();
    expect(clock.sleeping).toBe(0);
  });

  test('ends with its term, even what waits for a store that does not answer', async () => {
    expect(manager.terms.running).toBeGreaterThan(5);
    manager.relay.emit(nodeReady({ name: 'h1' } as Parameters<typeof nodeReady>[0]));
    backend.freeze();
    await clock.advance(seconds(1)); // the recorder's transaction is under way
    expect(manager.leads).toBe(true);
    const lost = new Promise<void>((resolve) => manager.terms.subscribe((leads) => leads || resolve()));
    await clock.until(lost, seconds(10));
    await clock.advance(milliseconds(0));
    expect(manager.terms.running).toBe(0);
    backend.unfreeze();
  });

  test('waits for a view that is late at the election, and so do writers', async () => {
    const other = new MemoryStore({ clock, backend });
    manager.store.reconnectDelay = () => seconds(2);
    manager.store.fault = (operation) => {
      if (operation === 'lease' && manager.elector.leadership.role === 'follower') manager.store.cut();
      return 'none';
    };
    await other.txn([], [{ kind: 'delete', key: manager.keys.leader }]);
    await clock.advance(seconds(1));
    expect(manager.elector.leadership.role).toBe('leader');
    expect([manager.leads, manager.terms.running]).toEqual([false, 0]);
    const write = manager.writer.apply({ plan: () => ({}) as never }, { cause: 'test' });
    await expect(write).rejects.toMatchObject({ code: 'not-leader' });
    await clock.advance(seconds(2));
    expect(manager.leads).toBe(true);
    manager.store.fault = () => 'none';
  });
});
