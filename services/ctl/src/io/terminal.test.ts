import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { openTerminal } from './terminal.ts';

function fakeProcess(env: Record<string, string> = {}, isTTY = false) {
  const stdout = Object.assign(new PassThrough(), { isTTY });
  const stderr = Object.assign(new PassThrough(), { isTTY });
  return Object.assign(new EventEmitter(), { stdout, stderr, env });
}

const open = (of: ReturnType<typeof fakeProcess>) => openTerminal(of as unknown as NodeJS.Process);

describe('colour', () => {
  test.each([
    ['at a terminal', {}, true, true],
    ['off a terminal', {}, false, false],
    ['NO_COLOR', { NO_COLOR: '1' }, true, false],
    ['an empty NO_COLOR does not count', { NO_COLOR: '' }, true, true],
    ['a terminal that cannot', { TERM: 'dumb' }, true, false],
  ])('%s', (_, env, isTTY, colour) => {
    const { stdout, stderr } = open(fakeProcess(env, isTTY));
    expect([stdout.colour, stderr.colour, stdout.isTty]).toEqual([colour, colour, isTTY]);
  });
});

describe('the reader of stdout is gone', () => {
  test('writing stops, and the work ends well', () => {
    const of = fakeProcess();
    const terminal = open(of);
    terminal.stdout.write('a');
    of.stdout.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    terminal.stdout.write('b');
    expect(of.stdout.read().toString()).toBe('a');
    expect(terminal.signal.reason).toEqual({ exitCode: 0 });
  });

  test('another error is reported once, and the command fails', () => {
    const of = Object.assign(fakeProcess(), { exitCode: 0 });
    const terminal = open(of);
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    of.stdout.emit('error', full);
    of.stdout.emit('error', full);
    expect(of.stderr.read().toString()).toBe(
      'causeway: stdout cannot be written: ENOSPC: no space left on device, write\n',
    );
    expect([terminal.signal.reason, of.exitCode]).toEqual([{ exitCode: 1 }, 1]);
  });
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
])('%s ends the work, a second one the process', (name, exitCode) => {
  const of = fakeProcess();
  const { signal } = open(of);
  of.emit(name);
  expect(signal.reason).toEqual({ exitCode });
  expect(of.listenerCount(name)).toBe(0);
});
