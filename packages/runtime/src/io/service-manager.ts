import { spawn } from 'node:child_process';
import type { Log } from '../log.ts';

/** What a service reports to systemd (sd_notify(3)). Without systemd, the calls do nothing. */
export interface ServiceManager {
  /** The service works from now on; units that start after it may start. Starts the watchdog's beat. */
  ready(): void;
  /** The service ends by itself. Ends the watchdog's beat. */
  stopping(): void;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reports with the program systemd-notify(1), because Node cannot open a unix datagram socket. Needs "NotifyAccess=all"
 * in the unit. The watchdog's beat comes from the event loop: when the loop is blocked for WatchdogSec=, systemd restarts
 * the service.
 */
export function serviceManager(log: Log, environment: Environment = process.env): ServiceManager {
  if (environment['NOTIFY_SOCKET'] === undefined) return { ready: () => undefined, stopping: () => undefined };
  let beat: NodeJS.Timeout | undefined;
  let failed = false;
  const notify = (...words: readonly string[]): void => {
    const child = spawn('systemd-notify', words, { stdio: 'ignore' });
    child.once('error', (error) => {
      if (!failed) log.warn('service.notify-failed', { message: error.message });
      failed = true;
    });
  };
  return {
    ready() {
      notify('--ready');
      const period = beatPeriod(environment, process.pid);
      if (period !== undefined) beat = setInterval(notify, period, 'WATCHDOG=1').unref();
    },
    stopping() {
      clearInterval(beat);
      notify('--stopping');
    },
  };
}

/**
 * Time between two beats, ms: half of the limit that sd_watchdog_enabled(3) gives for this process; undefined: no
 * watchdog.
 */
export function beatPeriod(environment: Environment, pid: number): number | undefined {
  const { WATCHDOG_USEC: limit, WATCHDOG_PID: watched } = environment;
  if (limit === undefined || (watched !== undefined && watched !== String(pid))) return undefined;
  const microseconds = Number(limit);
  return microseconds > 0 ? microseconds / 2000 : undefined;
}
