import { join, resolve } from 'node:path';
import { CausewayError, isCausewayError, unwrap } from '@causeway/model';
import {
  type Backoff,
  type Clock,
  type Duration,
  delays,
  type Log,
  milliseconds,
  minutes,
  type Random,
  randomUuid,
  type Startable,
  seconds,
} from '@causeway/runtime';
import { joinCluster } from '../../cluster/membership/join.ts';
import { type FoundManager, planStart } from '../../cluster/membership/plan-start.ts';
import { etcdElection } from '../../config/etcd-config.ts';
import type { EtcdCredentials } from '../etcd/credentials.ts';
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
  peerUrl,
} from './flags.ts';
import { askOwnMember, becomeVoter, correctPeerUrl, withMembership } from './own-member.ts';
import { checkPorts, prepareDirectory } from './preflight.ts';
import { findRunning } from './running-etcd.ts';
import { TrustNote } from './trust-note.ts';

export type { EmbeddedEtcdSettings } from './flags.ts';

export interface EmbeddedEtcdParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** With which this manager calls the members. */
  readonly credentials: EtcdCredentials;
  /** Finds the etcd binary. Absent: `findEtcd` searches PATH and the usual places. */
  readonly findBinary?: () => Promise<string | undefined>;
  /**
   * Id of the cluster that the data directory belongs to. The id is known also when the directory's etcd data was lost.
   */
  readonly belongsTo?: string;
  /** How etcd joins a cluster when the data directory holds no etcd data. */
  readonly join?: JoinParts;
}

export interface JoinParts {
  /** Host:port of each manager to ask, without this manager: those of --join, and those that this manager has known. */
  readonly managers: readonly string[];
  /** Asks these managers. Returns the answers of those that run in a cluster. */
  ask(signal: AbortSignal): Promise<readonly FoundManager[]>;
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
const restartBackoff: Backoff = { first: milliseconds(200), max: seconds(10), factor: 2 };
/** How long to wait for the managers to join: they may be starting at the same time. */
const joinPatience = minutes(2);
const joinPause = milliseconds(500);
/** When etcd has run for this long, the restart backoff begins again at its first pause. */
const steadyAfter = seconds(60);
/** How often to look whether a restarted etcd runs again. */
const restartPoll = milliseconds(50);
/** Pause between two attempts to correct this member's address in the cluster's list of members. */
const announcePause = seconds(1);

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
    await this.#vote();
    this.#announcement = this.#announce();
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
    const etcd = await this.#spawn(binary, found.kind === 'nothing' ? await this.#begin() : undefined);
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

  /** How etcd begins: as the first member of a new cluster, or as a new member of an existing cluster. */
  async #begin(): Promise<Beginning> {
    const own = { name: this.#settings.name, peerUrl: peerUrl(this.#settings) };
    const { signal } = this.#stopping;
    const urls = await this.#cluster();
    await this.#firstStart.begin();
    if (urls === 'own')
      return { state: 'new', cluster: `${own.name}=${own.peerUrl}`, token: randomUuid(this.#parts.random) };
    await this.#firstStart.rememberMembers(urls);
    const { initialCluster } = await withMembership(this.#parts, urls, signal, (membership) =>
      joinCluster({ ...this.#parts, membership }, own, signal),
    );
    return { state: 'existing', cluster: initialCluster };
  }

  /** Client URLs of the members of the cluster to join; 'own' when this manager founds a cluster. */
  async #cluster(): Promise<readonly string[] | 'own'> {
    const { join, belongsTo, clock, log } = this.#parts;
    const { dataDir } = this.#settings;
    const { signal } = this.#stopping;
    const managers = join?.managers ?? [];
    const mayFound = await this.#firstStart.mayFound();
    const facts = { hasData: false, mayFound, dataDir, join: managers, ...(belongsTo !== undefined && { belongsTo }) };
    const deadline = clock.now() + joinPatience;
    let answers: readonly FoundManager[] | undefined;
    for (;;) {
      const step = unwrap(planStart(facts, answers));
      if (step.kind === 'found') return 'own';
      if (step.kind === 'join') return step.urls;
      if (step.kind === 'resume')
        throw new CausewayError('internal', 'etcd data appeared in the directory before etcd was started');
      if (signal.aborted)
        throw new CausewayError('shutting-down', 'the manager was stopped while it joined the cluster');
      if (step.kind === 'wait') {
        if (clock.now() >= deadline) throw noCluster(managers, dataDir);
        log.info('etcd.join-waiting', { reason: `no manager of a running cluster answers at ${managers.join(', ')}` });
        await clock.sleep(joinPause, signal);
      }
      answers = (await join?.ask(signal)) ?? [];
    }
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

  /** Makes a learner a voter, and waits until it is: a learner serves no clients. */
  async #vote(): Promise<void> {
    const { log } = this.#parts;
    const own = await askOwnMember(this.#parts, this.endpoint).catch((error: unknown) => {
      // Without a majority the member does not answer. It is a voter then: the start of a learner waits until the others
      // have a majority.
      log.warn('etcd.member-unknown', { message: String(error) });
      return undefined;
    });
    if (own?.learner !== true) return;
    const remembered = await this.#firstStart.knownMembers();
    const others = remembered.length > 0 ? remembered : await this.#others();
    if (others.length === 0)
      throw new CausewayError(
        'invalid-argument',
        '--join is missing: this etcd member does not vote yet, and a running manager has to promote it; name a running manager',
        { field: '--join' },
      );
    await becomeVoter(this.#parts, own, others, AbortSignal.any([this.#stopping.signal, this.removed]));
  }

  /** Client URLs of all members that the managers to join report. */
  async #others(): Promise<readonly string[]> {
    const found = (await this.#parts.join?.ask(this.#stopping.signal)) ?? [];
    return [...new Set(found.flatMap(({ members }) => members.flatMap(({ clientUrls }) => clientUrls)))];
  }

  /** Repeats until the cluster's list of members has this member's current peer URL. */
  async #announce(): Promise<void> {
    const { clock, log } = this.#parts;
    const { signal } = this.#stopping;
    const { name } = this.#settings;
    const url = peerUrl(this.#settings);
    while (!signal.aborted) {
      try {
        const urls = [this.endpoint, ...(await this.#firstStart.knownMembers())];
        const members = await withMembership(this.#parts, [...new Set(urls)], signal, async (membership) => {
          const all = await membership.list();
          const own = all.find((member) => member.name === name);
          if (own === undefined) return undefined;
          if (await correctPeerUrl(membership, own, url)) log.info('etcd.address-announced', { peerUrl: url });
          return all.filter((member) => member !== own);
        });
        if (members === undefined) throw new CausewayError('store-unavailable', `no member is named ${name} yet`);
        return await this.#firstStart.rememberMembers(members.flatMap(({ clientUrls }) => clientUrls));
      } catch (error) {
        log.debug('etcd.address-not-announced', { message: isCausewayError(error) ? error.message : String(error) });
        await clock.sleep(announcePause, signal);
      }
    }
  }

  /**
   * Restarts etcd whenever it ends, until the manager stops or the member is removed from the cluster. Clients of etcd
   * reconnect by themselves.
   */
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
      if (await this.#log.saysRemoved()) {
        this.#process = undefined;
        this.#removal.abort(this.#removedError());
        return;
      }
      if (clock.now() - since > steadyAfter) pauses = delays(restartBackoff, random);
      if (etcd !== undefined && etcd === this.#ended) {
        log.info('etcd.restarting', { pid: etcd.pid });
      } else {
        const pause = pauses.next().value;
        log.warn('etcd.exited', { pid: etcd?.pid, reason, restartIn: pause });
        await clock.sleep(pause, signal);
      }
      if (signal.aborted) return;
      etcd = await this.#spawn(binary).catch((error: unknown) => {
        log.error('etcd.start-failed', { error: String(error) });
        return undefined;
      });
      this.#process = etcd;
    }
  }

  #removedError(): CausewayError {
    const { name, dataDir } = this.#settings;
    const message = `${name} was removed from the cluster, and the etcd data in ${dataDir} cannot be used any more; to join again, run "causeway leave --service manager" on this host, then "causeway join" with a new token`;
    return new CausewayError('manager-removed', message, { name, path: dataDir });
  }
}

function noCluster(managers: readonly string[], dataDir: string): CausewayError {
  const message =
    `no manager of a running cluster answers at ${managers.join(',')} (--join, and the managers that this one has known), and ${dataDir} holds no etcd data: start those first; ` +
    `or, if there is no cluster yet, run "causeway-manager init" on one host, and start that one first`;
  return new CausewayError('store-unavailable', message, { field: '--join' });
}
