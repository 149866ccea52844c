import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { CausewayError } from '@causeway/model';
import {
  type Backoff,
  type Clock,
  delays,
  type Log,
  milliseconds,
  type Random,
  type Startable,
  seconds,
} from '@causeway/runtime';
import { findEtcd } from './binary.ts';
import { Bootstrap } from './embedded/bootstrap.ts';
import { adoptEtcd, becomesHealthy, type EtcdProcess, spawnEtcd, terminate } from './embedded/etcd-process.ts';
import { clientUrl, type EmbeddedEtcdSettings, embeddedFlags } from './embedded/flags.ts';
import { lastWords } from './embedded/last-words.ts';
import { PidFile } from './embedded/pid-file.ts';
import { checkPorts, prepareDirectory, rotateLog } from './embedded/preflight.ts';

export type { EmbeddedEtcdSettings } from './embedded/flags.ts';

export interface EmbeddedEtcdParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Where the binary is; PATH and the usual places without. */
  readonly findBinary?: () => Promise<string | undefined>;
}

/** etcd's own default ports, and its default quota (2 GiB). */
export const embeddedDefaults = {
  clientPort: 2379,
  peerPort: 2380,
  quotaBytes: 2 * 1024 ** 3,
} as const satisfies Omit<EmbeddedEtcdSettings, 'dataDir'>;

/** A start reads the whole log of writes, so a big store takes its time. */
const startLimit = seconds(60);
const restartBackoff: Backoff = { first: milliseconds(200), max: seconds(10), factor: 2 };
/** Having lived so long, the next end counts as the first again. */
const steadyAfter = seconds(60);

/**
 * The etcd of a manager with `--etcd embedded`: a child that the manager starts, restarts and ends. One that a killed manager left
 * running on the data directory is taken over as it is; with other flags it is restarted.
 */
export class EmbeddedEtcd implements Startable {
  readonly #parts: EmbeddedEtcdParts;
  readonly #settings: EmbeddedEtcdSettings;
  readonly #pidFile: PidFile;
  readonly #bootstrap: Bootstrap;
  readonly #logPath: string;
  readonly #stopping = new AbortController();
  #process: EtcdProcess | undefined;
  #supervision: Promise<void> = Promise.resolve();

  constructor(
    parts: EmbeddedEtcdParts,
    settings: Pick<EmbeddedEtcdSettings, 'dataDir'> & Partial<EmbeddedEtcdSettings>,
  ) {
    this.#parts = parts;
    this.#settings = { ...embeddedDefaults, ...settings };
    this.#pidFile = new PidFile(settings.dataDir);
    this.#bootstrap = new Bootstrap(settings.dataDir);
    this.#logPath = join(settings.dataDir, 'etcd.log');
  }

  /** For EtcdStore. */
  get endpoint(): string {
    return clientUrl(this.#settings);
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /**
   * Resolves when etcd serves. Throws "capability-missing" without a binary, "invalid-argument" naming the flag for a directory that
   * cannot be written or a port that is taken, "store-unavailable" with etcd's last words when it does not come up.
   */
  async start(): Promise<void> {
    const binary = await this.#binary();
    await prepareDirectory(this.#settings.dataDir);
    this.#process = (await this.#adopt()) ?? (await this.#launch(binary));
    await this.#bootstrap.complete();
    this.#supervision = this.#supervise(binary, this.#process);
  }

  /** Ends etcd; call it when nothing uses the store any more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#supervision;
    if (this.#process === undefined) return;
    await terminate(this.#process, this.#parts.clock);
    this.#process = undefined;
    this.#pidFile.remove();
  }

  async #binary(): Promise<string> {
    const binary = await (this.#parts.findBinary ?? findEtcd)();
    if (binary !== undefined) return binary;
    throw new CausewayError(
      'capability-missing',
      '--etcd embedded: no etcd binary on PATH or in /usr/bin; install the Debian package etcd-server, or name a running etcd with --etcd URL',
      { field: 'etcd' },
    );
  }

  /** The running etcd of this directory, when it is as the settings want it and well; one that is not is ended. */
  async #adopt(): Promise<EtcdProcess | undefined> {
    const running = this.#pidFile.running();
    if (running === undefined) return undefined;
    const { clock, log } = this.#parts;
    const { pid } = running;
    const etcd = adoptEtcd(pid, this.#pidFile, clock);
    if (String(running.flags) === String(embeddedFlags(this.#settings)) && (await this.#isUp(etcd))) {
      log.info('etcd-adopted', { pid });
      return etcd;
    }
    log.warn('etcd-replaced', { pid });
    await terminate(etcd, clock);
    return undefined;
  }

  async #launch(binary: string): Promise<EtcdProcess> {
    await checkPorts(this.#settings);
    if (await this.#bootstrap.begin()) this.#parts.log.warn('etcd-begun-anew', { path: this.#settings.dataDir });
    const etcd = await this.#spawn(binary);
    if (await this.#isUp(etcd)) return etcd;
    await terminate(etcd, this.#parts.clock);
    this.#pidFile.remove();
    const words = lastWords(await readTail(this.#logPath));
    const message = `the embedded etcd did not come up: ${words} (see ${this.#logPath})`;
    throw new CausewayError('store-unavailable', message, { path: this.#logPath });
  }

  async #spawn(binary: string): Promise<EtcdProcess> {
    await rotateLog(this.#logPath);
    const etcd = await spawnEtcd(binary, embeddedFlags(this.#settings), this.#logPath, this.#pidFile);
    this.#parts.log.info('etcd-started', { pid: etcd.pid, endpoint: this.endpoint });
    return etcd;
  }

  #isUp(etcd: EtcdProcess): Promise<boolean> {
    return becomesHealthy(etcd, this.endpoint, this.#parts.clock, startLimit, this.#stopping.signal);
  }

  /** Starts etcd again whenever it ends, until stopped. Its clients find out by themselves. */
  async #supervise(binary: string, first: EtcdProcess): Promise<void> {
    const { clock, random, log } = this.#parts;
    const { signal } = this.#stopping;
    const stopped = new Promise<undefined>((resolve) => {
      signal.addEventListener('abort', () => resolve(undefined));
    });
    let etcd: EtcdProcess | undefined = first;
    let pauses = delays(restartBackoff, random);
    while (!signal.aborted) {
      const since = clock.now();
      const reason = etcd === undefined ? 'not started' : await Promise.race([etcd.exited, stopped]);
      if (signal.aborted || reason === undefined) return;
      if (clock.now() - since > steadyAfter) pauses = delays(restartBackoff, random);
      const pause = pauses.next().value;
      log.warn('etcd-ended', { pid: etcd?.pid, reason, restartIn: pause });
      await clock.sleep(pause, signal);
      if (signal.aborted) return;
      etcd = await this.#spawn(binary).catch((error: unknown) => {
        log.error('etcd-start-failed', { error: String(error) });
        return undefined;
      });
      this.#process = etcd;
    }
  }
}

/** A panic's stack traces are long; what comes before them is what counts. */
const tailBytes = 64 * 1024;

async function readTail(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read(Buffer.alloc(tailBytes), 0, tailBytes, Math.max(0, size - tailBytes));
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
