import { PassThrough, Writable } from 'node:stream';
import { seconds } from '@causeway/runtime';
import { FakeClock } from '@causeway/runtime/testing';
import { expect, test } from 'vitest';
import { leave } from './leave.ts';

function processOf(stdout: Writable, exitCode?: number) {
  const exits: number[] = [];
  return { stdout, stderr: new PassThrough(), exitCode, exits, exit: (code: number) => void exits.push(code) };
}

/** Takes one piece at a time, each when `next` is called. */
class Slow extends Writable {
  readonly taken: string[] = [];
  next: (error?: Error) => void = () => undefined;

  override _write(chunk: Buffer, _: string, done: (error?: Error) => void): void {
    this.taken.push(chunk.toString());
    this.next = done;
  }
}

const quiet = new AbortController().signal;

test('ends when all is out, and not before', async () => {
  const stdout = new Slow();
  const of = processOf(stdout);
  stdout.write('a');
  stdout.write('b');
  const leaving = leave(of, 5, { clock: new FakeClock(), signal: quiet });
  stdout.next();
  await new Promise(setImmediate);
  expect(of.exits).toEqual([]);
  stdout.next();
  await new Promise(setImmediate);
  stdout.next();
  await leaving;
  expect(stdout.taken.slice(0, 2)).toEqual(['a', 'b']);
  expect(of.exits).toEqual([5]);
});

test('a stream that breaks meanwhile decides how the process ends', async () => {
  const stdout = new Slow();
  const of = processOf(stdout, undefined);
  stdout.on('error', () => Object.assign(of, { exitCode: 1 }));
  stdout.write('a');
  const leaving = leave(of, 0, { clock: new FakeClock(), signal: quiet });
  stdout.next(new Error('ENOSPC'));
  await leaving;
  expect(of.exits).toEqual([1]);
});

test('after a signal it does not wait for a reader that does not read', async () => {
  const clock = new FakeClock();
  const stdout = new Slow();
  const of = processOf(stdout);
  stdout.write('a');
  const abort = new AbortController();
  const leaving = leave(of, 143, { clock, signal: abort.signal });
  abort.abort();
  await clock.until(leaving, seconds(1));
  expect(of.exits).toEqual([143]);
});
