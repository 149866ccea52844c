import { type ChildProcess, spawn } from 'node:child_process';
import { afterEach, expect, test } from 'vitest';
import { continueProcesses, killProcesses, stopProcesses } from './processes.ts';

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** Starts two processes. A zombie of ours counts as gone. */
function sleepers(): readonly number[] {
  return [1, 2].map(() => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    children.push(child);
    return child.pid ?? 0;
  });
}

test('what is stopped is counted, goes on, and what is killed is gone', async () => {
  const pids = sleepers();
  expect(await stopProcesses(pids)).toBe(2);
  continueProcesses(pids);
  expect(await stopProcesses(pids)).toBe(2);
  expect(await killProcesses(pids)).toBe(2);
});

test('what is gone already cannot be stopped', async () => {
  const [first = 0, second = 0] = sleepers();
  await killProcesses([first]);
  expect(await stopProcesses([second])).toBe(1);
  expect(await stopProcesses([])).toBe(0);
  expect(await stopProcesses([first], 100)).toBe(0);
});
