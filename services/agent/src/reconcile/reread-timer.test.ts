import { ChangeSet, type Changes, type NetnsPath, type OnWatchEvent } from '@causeway/datapath';
import { milliseconds, seconds } from '@causeway/runtime';
import { FakeClock, SeededRandom } from '@causeway/runtime/testing';
import { describe, expect, it } from 'vitest';
import type { Dirty } from './dirty.ts';
import { RereadTimer } from './reread-timer.ts';

/** A timer whose kernel the test speaks for. */
function world(netns: NetnsPath | undefined = '/run/netns/cw-0000000001' as NetnsPath) {
  const clock = new FakeClock();
  const rereads: { readonly at: number; readonly dirty: Dirty }[] = [];
  let open = 0;
  let opened = 0;
  let notify: OnWatchEvent = () => undefined;
  const kernel = {
    watch: (_: NetnsPath, onEvent: OnWatchEvent) => {
      notify = onEvent;
      open++;
      opened++;
      return { close: () => void open-- };
    },
  };
  const reread = (dirty: Dirty): void => void rereads.push({ at: clock.now(), dirty });
  const timer = new RereadTimer({ kernel, clock, random: new SeededRandom(1), reread }, { netns });
  timer.watch();
  return {
    timer,
    clock,
    rereads,
    open: () => open,
    opened: () => opened,
    notify: (...told: Parameters<OnWatchEvent>) => notify(...told),
  };
}

const links = (...names: string[]): ChangeSet => {
  const changes = new ChangeSet();
  for (const name of names) changes.links.add(name);
  return changes;
};
const more = (): Changes => Object.assign(links('br0'), { more: true });

describe('after a change of the kernel', () => {
  it('a pass follows soon, for all that changed meanwhile', async () => {
    const { clock, rereads, notify } = world();
    notify('changed', links('br0'));
    await clock.advance(milliseconds(10));
    notify('changed', links('vxlan0'));
    await clock.advance(milliseconds(15));
    expect(rereads).toMatchObject([{ at: 25, dirty: { links: new Set(['br0', 'vxlan0']), more: false } }]);
    await clock.advance(seconds(10));
    expect(rereads).toHaveLength(1);
  });

  it('a later pass knows nothing of changes that an earlier pass was for', async () => {
    const { clock, rereads, notify } = world();
    for (const name of ['br0', 'vxlan0']) {
      notify('changed', links(name));
      await clock.advance(seconds(1));
    }
    expect(rereads.map(({ dirty }) => dirty)).toMatchObject([
      { links: new Set(['br0']) },
      { links: new Set(['vxlan0']) },
    ]);
  });

  it.each<[string, took: number, after: number]>([
    ['short', 1, 25],
    ['ten reads', 10, 100],
    ['never long', 60, 400],
  ])('a pass that must read everything waits for a debounce that is %s', async (_, took, after) => {
    const events: Parameters<OnWatchEvent>[] = [
      ['overrun', links()],
      ['changed', more()],
    ];
    for (const event of events) {
      const { timer, clock, rereads, notify } = world();
      timer.wholeReadTook(took);
      notify(...event);
      await clock.advance(seconds(1));
      expect(rereads.map(({ at }) => at)).toEqual([after]);
    }
  });

  it('a pass for named changes does not wait for long, however long a read takes', async () => {
    const { timer, clock, rereads, notify } = world();
    timer.wholeReadTook(60);
    notify('changed', links('br0'));
    await clock.advance(seconds(1));
    expect(rereads.map(({ at }) => at)).toEqual([25]);
  });

  it('lost events mean that anything may have changed', async () => {
    const { clock, rereads, notify } = world();
    notify('overrun', links());
    notify('changed', links('br0'));
    await clock.advance(seconds(1));
    expect(rereads.map(({ dirty }) => dirty)).toEqual(['everything']);
  });
});

describe('the watch', () => {
  it('is opened once, and closed when its namespace is gone', async () => {
    const { timer, clock, rereads, open, opened, notify } = world();
    timer.watch();
    expect([open(), opened()]).toEqual([1, 1]);
    notify('gone', links());
    expect(open()).toBe(0);
    timer.watch();
    expect([open(), opened()]).toEqual([1, 2]);
    await clock.advance(seconds(1));
    expect(rereads.map(({ dirty }) => dirty)).toEqual(['everything']);
  });

  it('is not opened for a scope that has no namespace to watch', () => {
    const clock = new FakeClock();
    const kernel = { watch: () => expect.fail() };
    const timer = new RereadTimer(
      { kernel, clock, random: new SeededRandom(1), reread: () => undefined },
      { netns: undefined },
    );
    timer.watch();
    timer.unwatch();
  });
});

it('after a refusal everything is read again, after pauses that grow until a pass succeeds', async () => {
  const { timer, clock, rereads } = world();
  const pauses: number[] = [];
  for (let i = 0; i < 12; i++) {
    if (i === 10) timer.succeeded();
    const before = clock.now();
    timer.failed();
    await clock.advance(seconds(20));
    pauses.push((rereads.at(-1)?.at ?? 0) - before);
  }
  expect(rereads.map(({ dirty }) => dirty)).toEqual(Array.from({ length: 12 }, () => 'everything'));
  expect(pauses[0]).toBeLessThanOrEqual(100);
  expect(pauses[9]).toBeGreaterThan(1_000);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(10_000);
  expect(pauses[10]).toBeLessThanOrEqual(100);
});

it('nothing follows a stop', async () => {
  const { timer, clock, rereads, open, notify } = world();
  notify('changed', links('br0'));
  timer.failed();
  timer.stop();
  await clock.advance(seconds(20));
  expect([rereads, open()]).toEqual([[], 0]);
});
