import { milliseconds } from '@causeway/runtime';
import { FakeClock } from '@causeway/runtime/testing';
import { expect, test } from 'vitest';
import { EventLog } from './event-log.ts';

const never = new AbortController().signal;

function logOf(count: number, kept = 4): { log: EventLog; clock: FakeClock } {
  const clock = new FakeClock(1_000);
  const log = new EventLog({ clock }, { kept });
  for (let i = 1; i <= count; i++) log.publish({ kind: 'node.ready', host: `h${i}`, message: '' });
  return { log, clock };
}

async function sequences(log: EventLog, from: bigint): Promise<bigint[]> {
  const found: bigint[] = [];
  for await (const event of log.read(from, false, never)) found.push(event.sequence);
  return found;
}

test.each<[string, number, bigint, bigint[]]>([
  ['nothing happened', 0, 0n, []],
  ['all that is kept', 3, 0n, [1n, 2n, 3n]],
  ['from a place in it', 3, 2n, [2n, 3n]],
  ['the oldest are gone', 6, 1n, [3n, 4n, 5n, 6n]],
  ['nothing new', 3, 4n, []],
  ['a place of another manager’s stream', 3, 99n, [1n, 2n, 3n]],
])('%s', async (_name, count, from, expected) => {
  expect(await sequences(logOf(count).log, from)).toEqual(expected);
});

test('every field is there, names and time', async () => {
  const { log } = logOf(0);
  log.publish({ kind: 'endpoint.attached', revision: 7n, network: 'blue', endpoint: 'web', host: 'h1', message: 'm' });
  const { value } = await log.read(0n, false, never).next();
  expect(value).toMatchObject({
    sequence: 1n,
    revision: 7n,
    timeMs: 1_000n,
    kind: 'endpoint.attached',
    network: 'blue',
    endpoint: 'web',
    host: 'h1',
    message: 'm',
  });
});

test('a follower gets what happens, until it leaves', async () => {
  const { log, clock } = logOf(1);
  const leave = new AbortController();
  const seen: string[] = [];
  const following = (async () => {
    for await (const event of log.read(0n, true, leave.signal)) seen.push(event.host);
  })();
  await clock.advance(milliseconds(0));
  log.publish({ kind: 'node.lost', host: 'x', message: '' });
  log.publish({ kind: 'node.lost', host: 'y', message: '' });
  await clock.advance(milliseconds(0));
  expect(seen).toEqual(['h1', 'x', 'y']);
  leave.abort();
  await following;
});

test('a reader that is too slow loses the oldest and sees the gap', async () => {
  const { log } = logOf(2);
  const reader = log.read(0n, true, never);
  expect((await reader.next()).value?.sequence).toBe(1n);
  for (let i = 0; i < 10; i++) log.publish({ kind: 'node.ready', host: 'h', message: '' });
  expect((await reader.next()).value?.sequence).toBe(9n);
});
