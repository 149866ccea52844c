import { expect, test } from 'vitest';
import { networkId, nodeId } from '../testing/view-script.ts';
import { ReportedStates } from './reported-states.ts';

const [h1, h2] = [nodeId(1), nodeId(2)];
const [blue, red] = [networkId(7), networkId(8)];

test('a host without a session has reported nothing, whatever it says', () => {
  const states = new ReportedStates();
  expect(states.applied(h1, blue, 5n)).toBeUndefined();
  states.setTiming(h1, blue, 5n);
  expect([states.hasSession(h1), states.appliedBy(h1, blue)]).toEqual([false, 0n]);
});

test('the newest report counts, and latencies are measured from the newest report', () => {
  const states = new ReportedStates();
  states.sessionBegan(h1);
  expect(states.applied(h1, blue, 5n), 'the host may have had the first revision for long').toBeUndefined();
  expect(states.applied(h1, blue, 3n)).toBe(5n);
  expect([states.appliedBy(h1, blue), states.applied(h1, blue, 9n), states.applied(h1, blue, 9n)]).toEqual([
    5n,
    5n,
    9n,
  ]);
});

test('the timing of a host can begin and end without a report', () => {
  const states = new ReportedStates();
  states.sessionBegan(h1);
  states.applied(h1, blue, 5n);
  states.setTiming(h1, blue, 7n);
  expect(states.appliedBy(h1, blue)).toBe(5n);
  expect(states.applied(h1, blue, 6n)).toBe(7n);
  expect(states.applied(h1, blue, 8n), 'a step that came before the timing is not measured').toBe(7n);
  states.setTiming(h1, blue, undefined);
  expect(states.applied(h1, blue, 9n)).toBeUndefined();
});

test('a host leaves a network until it reports something of the network, or is forgotten', () => {
  const states = new ReportedStates();
  for (const node of [h1, h2]) {
    states.sessionBegan(node);
    states.leaves(node, blue);
  }
  states.leaves(h1, red);
  expect([[...states.leavingFrom(blue)], states.leftBy(h1), states.leftBy(h2)]).toEqual([
    [h1, h2],
    [blue, red],
    [blue],
  ]);
  states.applied(h1, blue, 3n);
  expect([states.isLeaving(h1, blue), states.isLeaving(h2, blue), states.isLeaving(h1, red)]).toEqual([
    false,
    true,
    true,
  ]);
  states.withdrawn(h2, blue);
  expect([[...states.leavingFrom(blue)], states.leftBy(h2)]).toEqual([[], []]);
  states.forget(h1);
  expect([states.leftBy(h1), states.hasSession(h1), states.hasSession(h2)]).toEqual([[], false, true]);
});

test('a host is silent since its session ended, or else since the term began', () => {
  const states = new ReportedStates();
  states.reset(100);
  expect(states.silentSince(h1)).toBe(100);
  states.sessionBegan(h1);
  expect(states.silentSince(h1)).toBeUndefined();
  states.applied(h1, blue, 5n);
  states.sessionEnded(h1, 250);
  expect([states.silentSince(h1), states.appliedBy(h1, blue)]).toEqual([250, 0n]);
  states.forget(h1);
  expect(states.silentSince(h1)).toBe(100);
});

test('a new term knows nothing of the former one', () => {
  const states = new ReportedStates();
  states.sessionBegan(h1);
  states.leaves(h1, blue);
  states.sessionEnded(h2, 50);
  states.reset(100);
  expect([states.hasSession(h1), states.leftBy(h1), states.silentSince(h2)]).toEqual([false, [], 100]);
});
