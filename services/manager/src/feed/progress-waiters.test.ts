import { expect, test } from 'vitest';
import { networkId } from '../testing/view-script.ts';
import { ProgressWaiters } from './progress-waiters.ts';

const [blue, green] = [networkId(1), networkId(2)];
const never = new AbortController().signal;

/** Waiters on networks whose floor the test sets. `asked`: how often the floor was computed. */
function world() {
  const floors = new Map([
    [blue, 1n],
    [green, 1n],
  ]);
  let asked = 0;
  const waiters = new ProgressWaiters((network) => {
    asked++;
    return floors.get(network);
  });
  const until = (revision: bigint) => (floor: () => bigint | undefined) => (floor() ?? 0n) >= revision;
  return { waiters, floors, until, asked: () => asked };
}

/** How each wait has ended so far; undefined: the caller still waits. */
async function ends(waits: readonly Promise<boolean>[]): Promise<readonly (boolean | undefined)[]> {
  const ended: (boolean | undefined)[] = waits.map(() => undefined);
  waits.forEach((wait, i) => {
    void wait.then((reached) => {
      ended[i] = reached;
    });
  });
  await Promise.allSettled([Promise.resolve()]);
  return ended;
}

test('a move ends the waits of its network that are over, and leaves the others', async () => {
  const { waiters, floors, until } = world();
  const waits = [
    waiters.wait(blue, until(2n), never),
    waiters.wait(blue, until(3n), never),
    waiters.wait(green, until(2n), never),
  ];
  floors.set(blue, 2n);
  floors.set(green, 2n);
  waiters.moved(blue);
  expect(await ends(waits)).toEqual([true, undefined, undefined]);
  expect(waiters.size).toBe(2);
  floors.set(blue, 3n);
  waiters.moved(blue);
  waiters.moved(green);
  expect(await ends(waits)).toEqual([true, true, true]);
  expect(waiters.size).toBe(0);
});

test('an abort ends its own wait only', async () => {
  const { waiters, until } = world();
  const caller = new AbortController();
  const waits = [waiters.wait(blue, until(2n), caller.signal), waiters.wait(blue, until(2n), never)];
  caller.abort();
  expect(await ends(waits)).toEqual([false, undefined]);
  expect(waiters.size).toBe(1);
});

test('a wait that began when the last one had just ended is kept', async () => {
  const { waiters, floors, until } = world();
  const callers = [new AbortController(), new AbortController()];
  const first = waiters.wait(blue, until(2n), (callers[0] as AbortController).signal);
  floors.set(blue, 2n);
  waiters.moved(blue);
  floors.set(blue, 1n);
  const second = waiters.wait(blue, until(2n), (callers[1] as AbortController).signal);
  callers[0]?.abort();
  expect(waiters.size).toBe(1);
  floors.set(blue, 2n);
  waiters.moved(blue);
  expect(await ends([first, second])).toEqual([true, true]);
  expect(waiters.size).toBe(0);
});

test('a signal that was aborted before, or a wait that is over, leaves no waiter', async () => {
  const { waiters, until } = world();
  expect(await waiters.wait(blue, until(2n), AbortSignal.abort())).toBe(false);
  expect(await waiters.wait(blue, until(1n), never)).toBe(true);
  expect(waiters.size).toBe(0);
});

test('the floor is computed once for all callers of a move, and not at all without callers', async () => {
  const { waiters, until, asked } = world();
  waiters.moved(blue);
  expect(asked()).toBe(0);
  for (let n = 0; n < 3; n++) void waiters.wait(blue, until(2n), never);
  const before = asked();
  waiters.moved(blue);
  expect(asked()).toBe(before + 1);
});
