import { CausewayError } from '@causeway/model';
import { seconds } from '@causeway/runtime';
import { FakeClock } from '@causeway/runtime/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { runLine } from './testing/run-line.ts';
import { status } from './testing/samples.ts';

// The variable is set when the tests run inside a lab.
beforeAll(() => void vi.stubEnv('CAUSEWAY_MANAGERS', undefined));
afterAll(() => void vi.unstubAllEnvs());

/**
 * Runs a watch in which each round except the second has one more lost host, and the fourth has no answer. It ends after
 * the fifth.
 */
async function watched(line: string, tty = false) {
  const clock = new FakeClock();
  const abort = new AbortController();
  let looks = 0;
  const getStatus = async () => {
    looks++;
    if (looks === 5) abort.abort({ exitCode: 130 });
    if (looks === 4) throw new CausewayError('manager-unavailable', 'no manager answers');
    return { ...status, hostsReady: looks === 1 ? 2 : 3 - Math.max(1, looks - 1) };
  };
  const outcome = runLine(line, { clock, signal: abort.signal, tty, managers: { getStatus } });
  await clock.until(outcome, seconds(60));
  return { ...(await outcome), looks };
}

test('what is other than before is one object a line, and a cluster that does not answer is asked again', async () => {
  const { stdout, code, looks, connection } = await watched('status --watch -o json');
  const printed = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(printed.map(({ hosts, error }) => hosts?.ready ?? error.code)).toEqual([2, 1, 'manager-unavailable']);
  expect({ code, looks, open: connection.open }).toEqual({ code: 130, looks: 5, open: 0 });
});

test('tables come under their time', async () => {
  const { stdout } = await watched('status --watch');
  expect(stdout).toMatch(/^\d{4}-\d\d-\d\dT.*Z\ncluster .*\n/);
  expect(stdout.match(/^hosts .*$/gm)).toHaveLength(2);
  expect(stdout).toContain('no manager answers');
});

test('at a terminal each look takes the place of the one before', async () => {
  const { stdout } = await watched('status -w', true);
  expect(stdout.split('\u001b[H\u001b[J')).toHaveLength(5);
});
