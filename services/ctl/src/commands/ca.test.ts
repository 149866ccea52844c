import { CausewayError } from '@causeway/model';
import type { RotateCaRequest } from '@causeway/proto/gen/causeway/v1/certificate_service.js';
import { minutes } from '@causeway/runtime';
import { FakeClock } from '@causeway/runtime/testing';
import { expect, test } from 'vitest';
import { type Outcome, runLine } from '../testing/run-line.ts';

const progress = { generation: 2, renewed: 1, total: 2, waiting: ['agent h2'], done: false };
const done = { ...progress, renewed: 2, waiting: [], done: true };
const dead = () => new CausewayError('manager-unavailable', 'the connection was reset');

/** Each call of a manager gives the next of these answers; a call after the last fails. */
async function rotate(answers: readonly (typeof progress | 'dies')[][]): Promise<Outcome> {
  const clock = new FakeClock();
  let calls = 0;
  async function* rotateCa(_request: RotateCaRequest) {
    for (const answer of answers[calls++] ?? ['dies']) {
      if (answer === 'dies') throw dead();
      yield answer as typeof progress;
    }
  }
  const line = 'ca rotate --managers 10.0.0.1,10.0.0.2 --timeout 5s -o json';
  return await clock.until(runLine(line, { clock, managers: { rotateCa } }), minutes(1));
}

test('a manager that dies: the next one goes on with the same rotation, and nothing is printed twice', async () => {
  const { stdout, calls, code } = await rotate([[progress, 'dies'], ['dies'], [progress, done]]);
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual([progress, done]);
  const ids = calls.map(({ request }) => (request as RotateCaRequest).requestId);
  expect([calls.length, new Set(ids).size]).toEqual([3, 1]);
  expect(code).toBe(0);
});

test('no manager goes on: exit 5', async () => {
  const { stderr, code } = await rotate([[progress, 'dies']]);
  expect(stderr).toContain('the connection was reset');
  expect(code).toBe(5);
});

test('a manager that ends the answer too soon is asked again', async () => {
  expect((await rotate([[progress], [done]])).code).toBe(0);
});

test('a refusal ends the command', async () => {
  const rotateCa = () => {
    throw new CausewayError('unlock-key-missing', 'the leader is locked');
  };
  const { stderr, code } = await runLine('ca rotate --managers 10.0.0.1', { managers: { rotateCa } });
  expect(stderr).toContain('the leader is locked');
  expect(code).toBe(1);
});
