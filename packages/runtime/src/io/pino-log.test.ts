import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLog } from './pino-log.ts';

let directory: string;
let file: number;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'causeway-log-'));
  file = openSync(join(directory, 'log'), 'a');
});
afterEach(() => {
  vi.unstubAllEnvs();
  closeSync(file);
  rmSync(directory, { recursive: true });
});

const written = (): string => readFileSync(join(directory, 'log'), 'utf8');
const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

test('a line is one of JSON, with the event, its fields and those of the process', () => {
  createLog({ level: 'info', format: 'json' }, { process: 'x' }, file)
    .child({ node: 'h1' })
    .warn('disk.slow', { took: 3 });
  expect(
    written()
      .split('\n')
      .map((line) => line && JSON.parse(line)),
  ).toEqual([
    { level: 'warn', time: expect.stringMatching(isoTime), process: 'x', node: 'h1', event: 'disk.slow', took: 3 },
    '',
  ]);
});

test('a line for people has the same in words', () => {
  createLog({ level: 'info', format: 'text' }, { process: 'x' }, file).error('disk.full', { path: '/a b' });
  expect(written()).toMatch(/^\S+Z ERROR disk\.full process=x path="\/a b"\n$/);
});

test('lines below the level are not written', () => {
  const log = createLog({ level: 'warn', format: 'json' }, {}, file);
  log.info('said');
  log.debug('said');
  expect(written()).toBe('');
});

test.each([
  ['json', /^<3>\{"level":"error".*\}\n<4>\{"level":"warn".*\}\n<6>\{"level":"info".*\}\n<7>\{"level":"debug".*\}\n$/],
  ['text', /^<3>\S+ ERROR said\n<4>\S+ WARN {2}said\n<6>\S+ INFO {2}said\n<7>\S+ DEBUG said\n$/],
] as const)('lines of %s to the journal begin with their priority', (format, expected) => {
  const { dev, ino } = fstatSync(file, { bigint: true });
  vi.stubEnv('JOURNAL_STREAM', `${dev}:${ino}`);
  const log = createLog({ level: 'debug', format }, {}, file);
  log.error('said');
  log.warn('said');
  log.info('said');
  log.debug('said');
  expect(written()).toMatch(expected);
});

test('a journal that is the stderr of another process gives no priority', () => {
  vi.stubEnv('JOURNAL_STREAM', '1:2');
  createLog({ level: 'debug', format: 'json' }, {}, file).error('said');
  expect(written()).toMatch(/^\{/);
});

test('where nothing more fits, lines are lost and the process lives', async () => {
  const full = openSync('/dev/full', 'w');
  const log = createLog({ level: 'info', format: 'json' }, { process: 'x' }, full);
  // More bytes than the log keeps.
  const write = () => {
    for (let n = 0; n < 20; n++) log.info('said', { n, text: 'x'.repeat(100_000) });
  };
  expect(write).not.toThrow();
  // An error without a listener would end the process, in a later turn at the latest, and the test runner would report
  // it.
  await new Promise(setImmediate);
  closeSync(full);
});
