import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { MemoryLog } from '../testing/index.ts';
import { beatPeriod, serviceManager } from './service-manager.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'causeway-notify-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true });
});

/** A systemd-notify that records its arguments. */
function scriptedNotify(): () => readonly string[] {
  const said = join(directory, 'said');
  const program = join(directory, 'systemd-notify');
  writeFileSync(program, `#!/bin/sh\necho "$@" >> ${said}\n`);
  chmodSync(program, 0o755);
  vi.stubEnv('PATH', `${directory}:/bin:/usr/bin`);
  return () => (existsSync(said) ? readFileSync(said, 'utf8').split('\n').slice(0, -1) : []);
}

test('systemd hears that the service is ready, beats, and ends', async () => {
  const said = scriptedNotify();
  const service = serviceManager(new MemoryLog(), { NOTIFY_SOCKET: '/run/notify', WATCHDOG_USEC: '20000' });
  service.ready();
  await vi.waitFor(() => expect(said().filter((words) => words === 'WATCHDOG=1').length).toBeGreaterThan(1));
  service.stopping();
  await vi.waitFor(() => expect(said()).toContain('--stopping'));
  expect(said()).toContain('--ready');
});

test('without systemd no program is started', async () => {
  const said = scriptedNotify();
  const service = serviceManager(new MemoryLog(), { WATCHDOG_USEC: '1000' });
  service.ready();
  service.stopping();
  await new Promise(setImmediate);
  expect(said()).toEqual([]);
});

test('a systemd-notify that is missing is one warning', async () => {
  vi.stubEnv('PATH', directory);
  const log = new MemoryLog();
  const service = serviceManager(log, { NOTIFY_SOCKET: '/run/notify' });
  service.ready();
  service.stopping();
  await vi.waitFor(() => expect(log.lines.map(({ event }) => event)).toEqual(['service.notify-failed']));
});

test.each([
  ['half of the limit', { WATCHDOG_USEC: '30000000' }, 15_000],
  ['the same where the process is named', { WATCHDOG_USEC: '30000000', WATCHDOG_PID: '7' }, 15_000],
  ['none for another process', { WATCHDOG_USEC: '30000000', WATCHDOG_PID: '8' }, undefined],
  ['none without a limit', {}, undefined],
  ['none where the limit is no number', { WATCHDOG_USEC: 'x' }, undefined],
])('period of the beat: %s', (_, environment, period) => expect(beatPeriod(environment, 7)).toBe(period));
