import { join, resolve } from 'node:path';
import { CausewayError } from '@causeway/model';
import { type Duration, milliseconds, type Startable, seconds } from '@causeway/runtime';
import { etcdElection } from '../../config/etcd-config.ts';
import { findEtcd } from './binary.ts';
import { EtcdLog } from './etcd-log.ts';
import { adoptEtcd, becomesHealthy, type EtcdProcess, spawnEtcd, terminate } from './etcd-process.ts';
import { FirstStart } from './first-start.ts';
import {
  advertisedUrl,
  areFlagsOf,
  type Beginning,
  clientUrl,
  type EmbeddedEtcdSettings,
  embeddedFlags,
} from './flags.ts';
import { Joining, type JoiningParts } from './joining.ts';
import { checkPorts, prepareDirectory } from './preflight.ts';
import { findRunning } from './running-etcd.ts';
import { supervise } from './supervision.ts';
import { TrustNote } from './trust-note.ts';

export type { EmbeddedEtcdSettings } from './flags.ts';
export type { JoinParts } from './joining.ts';

export interface EmbeddedEtcdParts extends Omit<JoiningParts, 'firstStart'> {
  /** Finds the etcd binary. Absent: `findEtcd` searches PATH and the usual places. */
  readonly findBinary?: () => Promise<string | undefined>;
}

/**
 * etcd's own default ports and quota (2 GiB), election times for a LAN, and a loopback address, at which no other host
 * can join.
 */
export const embeddedDefaults = {
  address: '127.0.0.1',
  clientPort: 2379,
  peerPort: 2380,
  quotaBytes: 2 * 1024 ** 3,
  heartbeat: etcdElection.heartbeat,
  electionTimeout: etcdElection.timeout,
} as const satisfies Omit<EmbeddedEtcdSettings, 'dataDir' | 'name' | 'tls'>;

/** Limit of a first start: etcd may have to copy a large store from the other members. */
const startLimit = seconds(60);
/**
 * Limit of a start on existing data. Such a member is healthy only when a majority runs, and the manager can wait for the
 * majority later.
 */
const returnLimit = seconds(20);
/** How often to look whether a restarted etcd runs again. */
const restartPoll = milliseconds(50);

/**
 * The etcd of a manager with `--etcd embedded`: a child process that the manager starts, restarts and ends. When a killed
 * manager left an etcd running on the data directory, that etcd is adopted if its flags are the same, and restarted
 * otherwise. On existing data etcd needs nothing else to come back. On an empty directory etcd joins a cluster, as a
 * learner first and as a voter once it has caught up, or founds a cluster if the operator asked for that
 * (cluster/membership/plan-start.ts).
 */
export class EmbeddedEtcd implements Startable {
  readonly #parts: EmbeddedEtcdParts;
  readonly #settings: EmbeddedEtcdSettings;
  readonly #firstStart: FirstStart;
  readonly #joining: Joining;
  readonly #log: EtcdLog;
  readonly #trust: TrustNote;
  readonly #stopping = new AbortController();
  readonly #removal = new AbortController();
  #process: EtcdProcess | undefined;
  /** The process that this manager itself has ended, to start it anew. */
  #ended: EtcdProcess | undefined;
  #supervision: Promise<void> = Promise.resolve();
  #announcement: Promise<void> = Promise.resolve();

  constructor(
    parts: EmbeddedEtcdParts,
    settings: Pick<EmbeddedEtcdSettings, 'dataDir' | 'name' | 'tls'> & Partial<EmbeddedEtcdSettings>,
  ) {
    this.#parts = parts;
    // Absolute, as on etcd's command line: the next manager finds a running etcd by this path.
    const dataDir = resolve(settings.dataDir);
    this.#settings = { ...embeddedDefaults, ...settings, dataDir };
    this.#firstStart = new FirstStart(dataDir);
    this.#joining = new Joining({ ...parts, firstStart: this.#firstStart }, this.#settings, this.#stopping.signal);
    this.#log = new EtcdLog(join(dataDir, 'etcd.log'));
    this.#trust = new TrustNote({ dataDir, roots: settings.tls.trust });
  }

  /** Client URL on loopback, for this manager's EtcdStore. */
  get endpoint(): string {
    return clientUrl(this.#settings);
  }

  /** Client URL in the cluster's list of members, for the other managers. */
  get advertisedEndpoint(): string {
    return advertisedUrl(this.#settings);
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** TCP ports for clients and for other members. */
  get ports(): readonly number[] {
    return [this.#settings.clientPort, this.#settings.peerPort];
  }

  /** Aborts with "manager-removed" when another manager has removed this member from the cluster. */
  get removed(): AbortSignal {
    return this.#removal.signal;
  }

  /**
   * Resolves when etcd serves and is a voter. On existing data it resolves also when etcd runs without a majority: the
   * other members may start later. Throws
   * "capability-missing" when there is no etcd binary;
   * "invalid-argument", naming the flag, for a directory that cannot be written;
   * "listen-failed", naming the flag, for a port that is taken;
   * "name-taken" or "manager-exists" when the cluster to join has another member with this name or peer URL;
   * "manager-removed" on the data of a member that was removed from its cluster;
   * "store-unavailable" with etcd's last log lines when etcd does not come up.
   */
  async start(): Promise<void> {
    const binary = await this.#binary();
    await prepareDirectory(this.#settings.dataDir);
    this.#process = (await this.#adopt()) ?? (await this.#launch(binary));
    this.#supervision = this.#supervise(binary, this.#process);
    await this.#joining.vote(this.removed);
    this.#announcement = this.#joining.announce();
  }

  /** The roots that etcd has read at its start, as `formatPins`; empty: not known. */
  get trust(): string {
    return this.#trust.read;
  }

  /** Starts etcd anew: it reads the roots of the cluster, and its connections end. Resolves when it is healthy again. */
  async restart(): Promise<void> {
    const { clock } = this.#parts;
    const { signal } = this.#stopping;
    const before = this.#process;
    if (before === undefined) return;
    this.#ended = before;
    await terminate(before, clock);
    while (!signal.aborted && (this.#process === before || this.#process === undefined))
      await clock.sleep(restartPoll, signal);
    if (this.#process !== undefined) await this.#isUp(this.#process, returnLimit);
  }

  /** Ends etcd. Call this after everything that uses the store has stopped. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#supervision;
    // The announcement may wait for an etcd that does not answer, so etcd is ended before the announcement is waited for.
    const ended = this.#process === undefined ? undefined : terminate(this.#process, this.#parts.clock);
    await Promise.all([ended, this.#announcement]);
    this.#process = undefined;
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

  /**
   * Returns the etcd that already runs on this directory if its flags match the settings and it is healthy; otherwise
   * ends that etcd.
   */
  async #adopt(): Promise<EtcdProcess | undefined> {
    const running = findRunning(this.#settings.dataDir);
    if (running === undefined) return undefined;
    const { clock, log } = this.#parts;
    const { pid } = running;
    await this.#log.skip();
    const etcd = adoptEtcd(pid, this.#settings.dataDir, clock);
    if (areFlagsOf(this.#settings, running.flags) && (await this.#isUp(etcd, returnLimit))) {
      log.info('etcd.adopted', { pid });
      await this.#firstStart.complete();
      await this.#trust.recall();
      return etcd;
    }
    log.warn('etcd.replaced', { pid });
    await terminate(etcd, clock);
    return undefined;
  }

  async #launch(binary: string): Promise<EtcdProcess> {
    await checkPorts(this.#settings);
    const found = await this.#firstStart.find();
    if (found.kind === 'nothing' && found.unfinished)
      this.#parts.log.warn('etcd.first-start-repeated', { path: this.#settings.dataDir });
    const etcd = await this.#spawn(binary, found.kind === 'nothing' ? await this.#joining.begin() : undefined);
    if (await this.#isUp(etcd, found.kind === 'nothing' ? startLimit : returnLimit)) {
      await this.#firstStart.complete();
      return etcd;
    }
    if (found.kind === 'member' && etcd.isRunning() && !this.#stopping.signal.aborted) {
      this.#parts.log.warn('etcd.without-majority', { pid: etcd.pid });
      return etcd;
    }
    await terminate(etcd, this.#parts.clock);
    if (await this.#log.saysRemoved()) throw this.#removedError();
    const message = `the embedded etcd did not come up: ${await this.#log.exitReason()} (see ${this.#log.path})`;
    throw new CausewayError('store-unavailable', message, { path: this.#log.path });
  }

  async #spawn(binary: string, beginning?: Beginning): Promise<EtcdProcess> {
    await this.#log.begin();
    if (this.#stopping.signal.aborted)
      throw new CausewayError('shutting-down', 'the manager was stopped while etcd was about to start');
    await this.#trust.note();
    const etcd = await spawnEtcd(binary, embeddedFlags(this.#settings, beginning), this.#log.path);
    this.#parts.log.info('etcd.started', { pid: etcd.pid, endpoint: this.endpoint });
    return etcd;
  }

  #isUp(etcd: EtcdProcess, limit: Duration): Promise<boolean> {
    const { clock, credentials } = this.#parts;
    return becomesHealthy({ etcd, url: this.endpoint, credentials }, clock, limit, this.#stopping.signal);
  }

  #supervise(binary: string, first: EtcdProcess): Promise<void> {
    const supervised = {
      spawn: () => this.#spawn(binary),
      replaced: (etcd: EtcdProcess | undefined) => {
        this.#process = etcd;
      },
      wasEnded: (etcd: EtcdProcess) => etcd === this.#ended,
      isRemoved: () => this.#log.saysRemoved(),
      removed: () => this.#removal.abort(this.#removedError()),
    };
    return supervise(this.#parts, supervised, first, this.#stopping.signal);
  }

  #removedError(): CausewayError {
    const { name, dataDir } = this.#settings;
    const message = `${name} was removed from the cluster, and the etcd data in ${dataDir} cannot be used any more; to join again, run "causeway leave --service manager" on this host, then "causeway join" with a new token`;
    return new CausewayError('manager-removed', message, { name, path: dataDir });
  }
}
