import { milliseconds } from '@causeway/runtime';
import { describe, expect, test } from 'vitest';
import { networkId } from '../testing/view-script.ts';
import { FanOut, fanOutPause } from './fan-out.ts';

const [small, large] = [networkId(1), networkId(2)];
const hostsOf = (network: string): number => (network === large ? 1_000 : 3);

/** Sends everything that is due, as if it took no time. */
function send(fanOut: FanOut, now: number): readonly string[] {
  const due = fanOut.due(now);
  for (const network of due) fanOut.sent(network, hostsOf(network), now);
  return due;
}

describe('the changes of a network', () => {
  test('go at once when the network is at rest', () => {
    const fanOut = new FanOut(fanOutPause);
    fanOut.changed(large);
    expect(fanOut.untilDue(0)).toBe(0);
    expect(send(fanOut, 0)).toEqual([large]);
    expect(fanOut.untilDue(0)).toBeUndefined();
  });

  test('wait for the end of its pause, and not for the pause of another network', () => {
    const fanOut = new FanOut(fanOutPause);
    for (const network of [small, large]) fanOut.changed(network);
    send(fanOut, 0);
    for (const network of [small, large]) fanOut.changed(network);
    expect(send(fanOut, 9)).toEqual([]);
    expect(fanOut.untilDue(9)).toBe(1);
    expect(send(fanOut, 10)).toEqual([small]);
    expect(fanOut.untilDue(10)).toBe(40);
    expect(send(fanOut, 49)).toEqual([]);
    expect(send(fanOut, 50)).toEqual([large]);
  });

  test('wait while earlier ones are on their way to the hosts', () => {
    const fanOut = new FanOut(fanOutPause);
    fanOut.changed(large);
    expect(fanOut.due(0)).toEqual([large]);
    fanOut.changed(large);
    expect(fanOut.due(10_000)).toEqual([]);
    expect(fanOut.untilDue(10_000)).toBeUndefined();
    fanOut.sent(large, 1_000, 10_000);
    expect(fanOut.untilDue(10_000)).toBe(50);
  });

  test('go nowhere after the network is deleted', () => {
    const fanOut = new FanOut(fanOutPause);
    fanOut.changed(large);
    fanOut.due(0);
    fanOut.changed(large);
    fanOut.forget(large);
    fanOut.sent(large, 1_000, 1);
    expect(fanOut.due(5_000)).toEqual([]);
    fanOut.changed(large);
    expect(fanOut.due(5_000)).toEqual([large]);
  });
});

test.each([
  [0, 0],
  [1, 10],
  [219, 10],
  [220, 11],
  [1_000, 50],
  [5_000, 250],
  [50_000, 500],
])('the pause of %d hosts is %d ms', (hosts, pause) => {
  expect(fanOutPause(hosts)).toBe(milliseconds(pause));
});
