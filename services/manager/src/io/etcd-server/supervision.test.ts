import { milliseconds, seconds } from '@causeway/runtime';
import { FakeClock, MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import { expect, test } from 'vitest';
import type { EtcdProcess } from './etcd-process.ts';
import { supervise } from './supervision.ts';

interface Child extends EtcdProcess {
  end(how: string): void;
}

function child(pid: number): Child {
  let end: (how: string) => void = () => undefined;
  const exited = new Promise<string>((resolve) => {
    end = resolve;
  });
  return { pid, exited, isRunning: () => true, end: (how) => end(how) };
}

function setUp() {
  const clock = new FakeClock();
  const log = new MemoryLog();
  const stopping = new AbortController();
  const children: Child[] = [child(1)];
  const seen: (number | undefined)[] = [];
  const facts = { isRemoved: false, isReported: false, ended: 0, mayStart: true };
  const supervised = {
    spawn: async (): Promise<EtcdProcess> => {
      if (!facts.mayStart) throw new Error('no such program');
      const next = child(children.length + 1);
      children.push(next);
      return next;
    },
    replaced: (etcd: EtcdProcess | undefined) => void seen.push(etcd?.pid),
    wasEnded: ({ pid }: EtcdProcess) => pid === facts.ended,
    isRemoved: async () => facts.isRemoved,
    removed: () => {
      facts.isReported = true;
    },
  };
  const parts = { clock, random: new SeededRandom(1), log };
  const over = supervise(parts, supervised, children[0] as Child, stopping.signal);
  const events = (): readonly string[] => log.lines.map(({ event }) => event);
  const running = (): Child => children.at(-1) as Child;
  return { clock, stopping, seen, facts, over, events, running };
}

test('an etcd that ends is started again, after a pause', async () => {
  const { clock, stopping, seen, over, events, running } = setUp();
  running().end('signal SIGKILL');
  await clock.advance(seconds(1));
  expect([seen, events()]).toEqual([[2], ['etcd.exited']]);
  stopping.abort();
  await over;
});

test('an etcd that the manager has ended is started again at once', async () => {
  const { clock, stopping, seen, facts, over, events, running } = setUp();
  facts.ended = 1;
  running().end('signal SIGTERM');
  await clock.advance(seconds(0));
  expect([seen, events()]).toEqual([[2], ['etcd.restarting']]);
  stopping.abort();
  await over;
});

test('an etcd that cannot be started is tried again', async () => {
  const { clock, stopping, seen, facts, over, events, running } = setUp();
  facts.mayStart = false;
  running().end('exit status 1');
  await clock.advance(milliseconds(300));
  expect(events().slice(0, 2)).toEqual(['etcd.exited', 'etcd.start-failed']);
  facts.mayStart = true;
  await clock.advance(seconds(30));
  expect(seen.at(-1)).toBe(2);
  stopping.abort();
  await over;
});

test('an etcd that was removed from the cluster is not started again', async () => {
  const { seen, facts, over, events, running } = setUp();
  facts.isRemoved = true;
  running().end('exit status 0');
  await over;
  expect([seen, events(), facts.isReported]).toEqual([[undefined], [], true]);
});
