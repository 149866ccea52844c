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

export type { EmbeddedEtcdSettings } from './flags.ts';

export interface EmbeddedEtcdParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Where the binary is; PATH and the usual places without. */
  readonly findBinary?: () => Promise<string | undefined>;
  /** Id of the cluster that the data directory belongs to, also when its etcd was lost. */
  readonly belongsTo?: string;
  /** Managers of the cluster that it becomes a member of when it has no data. */
  readonly join?: JoinParts;
}

export interface JoinParts {
  /** Host:port of each, this manager left out. */
  readonly managers: readonly string[];
  /** What those that run in a cluster answer. */
  ask(signal: AbortSignal): Promise<readonly FoundManager[]>;
}

/** etcd's own default ports, its default quota (2 GiB), a LAN's election, and a cluster that nobody joins from another host. */
export const embeddedDefaults = {
  address: '127.0.0.1',
  clientPort: 2379,
  peerPort: 2380,
  quotaBytes: 2 * 1024 ** 3,
  heartbeat: etcdElection.heartbeat,
  electionTimeout: etcdElection.timeout,
} as const satisfies Omit<EmbeddedEtcdSettings, 'dataDir' | 'name'>;

/** A first start may have to copy a large store from the others before it is well. */
const startLimit = seconds(60);
/** On its data a member is well when a majority is, which the manager can wait for as well as we. */
const returnLimit = seconds(20);
const restartBackoff: Backoff = { first: milliseconds(200), max: seconds(10), factor: 2 };
/** The managers to join may be starting at the same time. */
const joinPatience = minutes(2);
const joinPause = milliseconds(500);
/** Having lived so long, the next end counts as the first again. */
const steadyAfter = seconds(60);
/** From one try to tell the others of our address to the next. */
const announcePause = seconds(1);

/**
 * The etcd of a manager with `--etcd embedded`: a child that the manager starts, restarts and ends. One that a killed manager left
 * running on the data directory is taken over as it is; with other flags it is restarted. On its data it comes back by itself. On an empty
 * directory it joins, as a learner first, with a vote once it has caught up; or founds a cluster where that was said (cluster/membership/plan-start.ts).
 */
export class EmbeddedEtcd implements Startable {
  readonly #parts: EmbeddedEtcdParts;
  readonly #settings: EmbeddedEtcdSettings;
  readonly #firstStart: FirstStart;
  readonly #log: EtcdLog;
  readonly #stopping = new AbortController();
  readonly #removal = new AbortController();
  #process: EtcdProcess | undefined;
  #supervision: Promise<void> = Promise.resolve();
  #announcement: Promise<void> = Promise.resolve();

  constructor(
    parts: EmbeddedEtcdParts,
    settings: Pick<EmbeddedEtcdSettings, 'dataDir' | 'name'> & Partial<EmbeddedEtcdSettings>,
  ) {
    this.#parts = parts;
    // As etcd's command line has it, by which the next manager finds it.
    const dataDir = resolve(settings.dataDir);
    this.#settings = { ...embeddedDefaults, ...settings, dataDir };
    this.#firstStart = new FirstStart(dataDir);
    this.#log = new EtcdLog(join(dataDir, 'etcd.log'));
  }

  /** For EtcdStore. */
  get endpoint(): string {
    return clientUrl(this.#settings);
  }

  /** The same, as the cluster's list of members has it. */
  get advertisedEndpoint(): string {
    return advertisedUrl(this.#settings);
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Aborts with "manager-removed" when another manager has taken this member out of the cluster. */
  get removed(): AbortSignal {
    return this.#removal.signal;
  }

  /**
   * Resolves when etcd serves and votes; on data of a cluster of several also without them, as their majority may be yet to come.
   * Throws "capability-missing" without a binary, "invalid-argument" naming the flag for a directory that cannot be written or a
   * port that is taken, "name-taken" and "manager-exists" when the cluster to join has such a member, "manager-removed" on the data of
   * a member that was taken out, "store-unavailable" with etcd's last words when it does not come up.
   */
  async start(): Promise<void> {
    const binary = await this.#binary();
    await prepareDirectory(this.#settings.dataDir);
    this.#process = (await this.#adopt()) ?? (await this.#launch(binary));
    this.#supervision = this.#supervise(binary, this.#process);
    await this.#vote();
    this.#announcement = this.#announce();
  }

  /** Ends etcd; call it when nothing uses the store any more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#supervision;
    // The announcement asks etcd, which need not answer: its end is not waited for before etcd is asked to end.
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

  /** The running etcd of this directory, when it is as the settings want it and well; one that is not is ended. */
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
    const message = `the embedded etcd did not come up: ${await this.#log.lastWords()} (see ${this.#log.path})`;
    throw new CausewayError('store-unavailable', message, { path: this.#log.path });
  }

  /** A cluster of its own, or a place in the one to join. */
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

  /** Client URLs of the members of the cluster to join, or that one is to be founded. */
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
        throw new CausewayError('internal', 'etcd data appeared while etcd was about to begin');
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
    const etcd = await spawnEtcd(binary, embeddedFlags(this.#settings, beginning), this.#log.path);
    this.#parts.log.info('etcd.started', { pid: etcd.pid, endpoint: this.endpoint });
    return etcd;
  }

  #isUp(etcd: EtcdProcess, limit: Duration): Promise<boolean> {
    return becomesHealthy({ etcd, url: this.endpoint }, this.#parts.clock, limit, this.#stopping.signal);
  }

  /** learner -> voter; waits for it, since a learner serves nobody. */
  async #vote(): Promise<void> {
    const { log } = this.#parts;
    const own = await askOwnMember(this.#parts, this.endpoint).catch((error: unknown) => {
      // Without a majority it does not even say; a voter then, since a learner's start waits for the others to have one.
      log.warn('etcd.member-unknown', { message: String(error) });
      return undefined;
    });
    if (own?.learner !== true) return;
    const remembered = await this.#firstStart.knownMembers();
    const others = remembered.length > 0 ? remembered : await this.#others();
    if (others.length === 0)
      throw new CausewayError(
        'invalid-argument',
        '--join is missing: this etcd member has no vote yet, and the others have to give it one; name a running manager',
        { field: '--join' },
      );
    await becomeVoter(this.#parts, own, others, AbortSignal.any([this.#stopping.signal, this.removed]));
  }

  /** Client URLs of those that the managers to join know of. */
  async #others(): Promise<readonly string[]> {
    const found = (await this.#parts.join?.ask(this.#stopping.signal)) ?? [];
    return [...new Set(found.flatMap(({ members }) => members.flatMap(({ clientUrls }) => clientUrls)))];
  }

  /** Until the cluster's list of members has our address as it is now. */
  async #announce(): Promise<void> {
    const { clock, log } = this.#parts;
    const { signal } = this.#stopping;
    const { name } = this.#settings;
    const wanted = peerUrl(this.#settings);
    while (!signal.aborted) {
      try {
        const urls = [this.endpoint, ...(await this.#firstStart.knownMembers())];
        const members = await withMembership(this.#parts, [...new Set(urls)], signal, async (membership) => {
          const all = await membership.list();
          const own = all.find((member) => member.name === name);
          if (own === undefined) return undefined;
          if (await correctPeerUrl(membership, own, wanted)) log.info('etcd.address-announced', { peerUrl: wanted });
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

  /** Starts etcd again whenever it ends, until stopped or removed from the cluster. Its clients find out by themselves. */
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
      const pause = pauses.next().value;
      log.warn('etcd.exited', { pid: etcd?.pid, reason, restartIn: pause });
      await clock.sleep(pause, signal);
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
    const message = `${name} was removed from the cluster, and the etcd data in ${dataDir} are of no use any more; to join again, empty that directory and start with --join`;
    return new CausewayError('manager-removed', message, { name, path: dataDir });
  }
}

function noCluster(managers: readonly string[], dataDir: string): CausewayError {
  const message =
    `--join ${managers.join(',')}: no manager of a running cluster answers there, and ${dataDir} holds no etcd: start those first; ` +
    `or, if there is no cluster yet, run "causeway-manager init" on one host, and start that one first`;
  return new CausewayError('store-unavailable', message, { field: '--join' });
}
