import { minutes } from '@causeway/runtime';
import { SeededRandom } from '@causeway/runtime/testing';
import { expect, test } from 'vitest';
import type { Refusal } from './event-input.ts';
import { RefusalAggregator } from './refusal-aggregator.ts';

function refusal(subject: string, message = 'no', object = 'network/red'): Refusal {
  return { subject, method: 'NetworkService/CreateNetwork', object, code: 'permission-denied', message };
}

const texts = (aggregator: RefusalAggregator, now: number): readonly string[] =>
  aggregator.take(now).map(({ message }) => message);

test('the first refusal is an event at once, and says who, what, of which object and why', () => {
  const aggregator = new RefusalAggregator();
  aggregator.add(refusal('agent/a1', 'it is for operators'), 0);
  expect(aggregator.due).toBe(0);
  expect(aggregator.take(0)).toEqual([
    {
      ...{ kind: 'call.refused', actor: 'agent/a1', subject: 'agent/a1', cause: 'refused', count: 1 },
      ...{ method: 'NetworkService/CreateNetwork', object: 'network/red', refusal: 'PERMISSION_DENIED' },
      message: 'agent/a1 was refused NetworkService/CreateNetwork of network/red: it is for operators',
    },
  ]);
  expect(aggregator.due).toBeUndefined();
});

test('the same refusals of a minute are one event with their number', () => {
  const aggregator = new RefusalAggregator();
  for (let i = 0; i < 100; i++) aggregator.add(refusal('agent/a1', `try ${i}`), i);
  expect(texts(aggregator, 100)).toEqual([
    'agent/a1 was refused NetworkService/CreateNetwork of network/red: 100 times, the last time: try 99',
  ]);
  aggregator.add(refusal('agent/a1', 'again'), 200);
  expect(texts(aggregator, 300)).toEqual([]);
  expect(aggregator.due).toBe(100 + minutes(1));
  expect(texts(aggregator, 100 + minutes(1))).toEqual([
    'agent/a1 was refused NetworkService/CreateNetwork of network/red: again',
  ]);
});

test('a caller that is refused many objects makes an event for each of four, and one for all others', () => {
  const aggregator = new RefusalAggregator();
  for (let i = 1; i <= 100; i++) aggregator.add(refusal('agent/a1', 'no', `network/n${i}`), 0);
  aggregator.add(refusal('agent/a2', 'no', 'network/n100'), 0);
  expect(aggregator.take(0).map(({ subject, object, count }) => `${subject} ${object} ${count}`)).toEqual([
    ...['agent/a1 network/n1 1', 'agent/a1 network/n2 1', 'agent/a1 network/n3 1', 'agent/a1 network/n4 1'],
    ...['agent/a1 several objects 96', 'agent/a2 network/n100 1'],
  ]);
});

test('a caller that was refused long ago is forgotten', () => {
  const aggregator = new RefusalAggregator();
  aggregator.add(refusal('agent/a1'), 0);
  aggregator.take(0);
  expect(aggregator.take(minutes(2))).toEqual([]);
  aggregator.add(refusal('agent/a1'), minutes(2));
  expect(texts(aggregator, minutes(2))).toHaveLength(1);
});

test('a caller that goes on being refused everything does not keep others from their events', () => {
  const aggregator = new RefusalAggregator();
  const methods = ['A/B', 'A/C', 'A/D', 'A/E'];
  const objects = ['network/n1', 'network/n2', 'network/n3', 'network/n4', 'network/n5'];
  const flood = (now: number): void => {
    for (const method of methods)
      for (const object of objects) aggregator.add({ ...refusal('agent/a1', 'no', object), method }, now);
  };
  flood(0);
  aggregator.add(refusal('agent/a2'), 0);
  expect(aggregator.take(0).filter(({ subject }) => subject === 'agent/a2')).toEqual([]);
  flood(1);
  expect(aggregator.take(minutes(1)).filter(({ subject }) => subject === 'agent/a2')).toHaveLength(1);
});

test('a flood makes at most 20 events a minute, and no refusal is missing from the counts', () => {
  const random = new SeededRandom(4);
  const aggregator = new RefusalAggregator();
  const made: number[] = [];
  let counted = 0;
  const take = (now: number): void => {
    for (const { count = 1 } of aggregator.take(now)) {
      counted += count;
      made.push(now);
    }
  };
  const total = 20_000;
  const any = (): number => Math.floor(random.float() * 1e6);
  for (let i = 0; i < total; i++) {
    aggregator.add(refusal(`joiner/${any()}`, 'no', `token/${any()}`), i * 10);
    take(i * 10);
  }
  for (let at = total * 10; aggregator.due !== undefined; at += minutes(1)) take(at);
  expect(counted).toBe(total);
  for (const at of made)
    expect(made.filter((other) => other > at - minutes(1) && other <= at).length).toBeLessThanOrEqual(20);
});
