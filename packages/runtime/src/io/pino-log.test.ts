import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createLog } from './pino-log.ts';

test('a line is one of JSON, with the event, its fields and those of the process', () => {
  const directory = mkdtempSync(join(tmpdir(), 'causeway-log-'));
  const file = openSync(join(directory, 'log'), 'a');
  createLog('info', { process: 'x' }, file).child({ node: 'h1' }).warn('disk.slow', { took: 3 });
  const lines = readFileSync(join(directory, 'log'), 'utf8').split('\n');
  expect(lines.map((line) => line && JSON.parse(line))).toEqual([
    { level: 40, time: expect.any(Number), process: 'x', node: 'h1', event: 'disk.slow', took: 3 },
    '',
  ]);
  closeSync(file);
  rmSync(directory, { recursive: true });
});

test.skipIf(!existsSync('/dev/full'))('where nothing more fits, lines are lost and nothing else happens', async () => {
  const full = openSync('/dev/full', 'w');
  const log = createLog('info', { process: 'x' }, full);
  // More than is kept.
  for (let n = 0; n < 20; n++) log.info('said', { n, text: 'x'.repeat(100_000) });
  // An error that nobody takes ends the process, in a later turn at the latest.
  await new Promise(setImmediate);
  closeSync(full);
});
