import type { Failure, NetnsPath, Op } from '@causeway/datapath';
import { MemoryLog } from '@causeway/runtime/testing';
import { expect, it } from 'vitest';
import { explain, logFailures, logOps } from './op-log.ts';

const op = (n: number): Op => ({ op: 'netns.add', netns: `/run/netns/cw-${n}` as NetnsPath });
const ops = (count: number): Op[] => Array.from({ length: count }, (_, n) => op(n));
const refused = (n: number, errno = 'EEXIST', message = ''): Failure => ({ op: op(n), errno, message });

it.each<[string, number, number, number | undefined]>([
  ['a few are all logged', 3, 3, undefined],
  ['as many as are logged at most', 50, 50, undefined],
  ['of one more, the first, and how many more', 51, 50, 1],
])('ops of a pass: %s', (_, count, logged, more) => {
  const log = new MemoryLog();
  logOps(log, ops(count));
  expect(log.lines.filter(({ event }) => event === 'kernel.op')).toHaveLength(logged);
  expect(log.lines.find(({ event }) => event === 'kernel.ops')?.fields).toEqual(
    more === undefined ? undefined : { more },
  );
});

it.each<[string, Failure[], Failure[], number]>([
  ['new ones are logged', [refused(1), refused(2)], [], 2],
  ['the same ones again are not', [refused(1), refused(2)], [refused(1), refused(2)], 0],
  ['others than before are', [refused(1)], [refused(2)], 1],
  ['the same op with another error is', [refused(1, 'EBUSY')], [refused(1)], 1],
  ['of many, the first', Array.from({ length: 60 }, (_, n) => refused(n)), [], 50],
])('failures of a pass: %s', (_, failures, before, lines) => {
  const log = new MemoryLog();
  logFailures(log, failures, before);
  expect(log.lines).toHaveLength(lines);
});

it('a failure is explained with the text of the kernel, if there is one', () => {
  expect(explain(refused(1))).toBe('ip netns add cw-1: EEXIST');
  expect(explain(refused(1, 'EINVAL', 'no such VNI'))).toBe('ip netns add cw-1: EINVAL (no such VNI)');
});
