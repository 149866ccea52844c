import { CausewayError, isCausewayError, unwrap } from '@causeway/model';
import { type Clock, type Log, milliseconds, minutes, type Random, randomUuid, seconds } from '@causeway/runtime';
import { joinCluster } from '../../cluster/membership/join.ts';
import { type FoundManager, planStart } from '../../cluster/membership/plan-start.ts';
import type { EtcdCredentials } from '../etcd/credentials.ts';
import type { FirstStart } from './first-start.ts';
import { type Beginning, clientUrl, type EmbeddedEtcdSettings, peerUrl } from './flags.ts';
import { askOwnMember, becomeVoter, correctPeerUrl, withMembership } from './own-member.ts';

export interface JoinParts {
  /** Host:port of each manager to ask, without this manager: those of --join, and those that this manager has known. */
  readonly managers: readonly string[];
  /** Asks these managers. Returns the answers of those that run in a cluster. */
  ask(signal: AbortSignal): Promise<readonly FoundManager[]>;
}

export interface JoiningParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** With which this manager calls the members. */
  readonly credentials: EtcdCredentials;
  readonly firstStart: FirstStart;
  /**
   * Id of the cluster that the data directory belongs to. The id is known also when the directory's etcd data was lost.
   */
  readonly belongsTo?: string;
  /** How etcd joins a cluster when the data directory holds no etcd data. */
  readonly join?: JoinParts;
}

type OwnSettings = Pick<EmbeddedEtcdSettings, 'name' | 'dataDir' | 'address' | 'clientPort' | 'peerPort'>;

/** How long to wait for the managers to join: they may be starting at the same time. */
const joinPatience = minutes(2);
const joinPause = milliseconds(500);

/** Pause between two attempts to correct this member's address in the cluster's list of members. */
const announcePause = seconds(1);

/** How the etcd of this manager comes to be a voting member of a cluster, at the address that the other members dial. */
export class Joining {
  readonly #parts: JoiningParts;
  readonly #settings: OwnSettings;
  /** Aborts when the manager stops. */
  readonly #signal: AbortSignal;

  constructor(parts: JoiningParts, settings: OwnSettings, signal: AbortSignal) {
    this.#parts = parts;
    this.#settings = settings;
    this.#signal = signal;
  }

  /** How etcd begins: as the first member of a new cluster, or as a new member of an existing cluster. */
  async begin(): Promise<Beginning> {
    const { firstStart, random } = this.#parts;
    const own = { name: this.#settings.name, peerUrl: peerUrl(this.#settings) };
    const urls = await this.#cluster();
    await firstStart.begin();
    if (urls === 'own') return { state: 'new', cluster: `${own.name}=${own.peerUrl}`, token: randomUuid(random) };
    await firstStart.rememberMembers(urls);
    const { initialCluster } = await withMembership(this.#parts, urls, this.#signal, (membership) =>
      joinCluster({ ...this.#parts, membership }, own, this.#signal),
    );
    return { state: 'existing', cluster: initialCluster };
  }

  /** Makes a learner a voter, and waits until it is: a learner serves no clients. `removed`: the member is none any more. */
  async vote(removed: AbortSignal): Promise<void> {
    const { firstStart, log } = this.#parts;
    const own = await askOwnMember(this.#parts, clientUrl(this.#settings)).catch((error: unknown) => {
      // Without a majority the member does not answer. It is a voter then: the start of a learner waits until the others
      // have a majority.
      log.warn('etcd.member-unknown', { message: String(error) });
      return undefined;
    });
    if (own?.learner !== true) return;
    const remembered = await firstStart.knownMembers();
    const others = remembered.length > 0 ? remembered : await this.#others();
    if (others.length === 0)
      throw new CausewayError(
        'invalid-argument',
        '--join is missing: this etcd member does not vote yet, and a running manager has to promote it; name a running manager',
        { field: '--join' },
      );
    await becomeVoter(this.#parts, own, others, AbortSignal.any([this.#signal, removed]));
  }

  /** Repeats until the cluster's list of members has this member's current peer URL. */
  async announce(): Promise<void> {
    const { firstStart, clock, log } = this.#parts;
    const signal = this.#signal;
    const { name } = this.#settings;
    const url = peerUrl(this.#settings);
    while (!signal.aborted) {
      try {
        const urls = [clientUrl(this.#settings), ...(await firstStart.knownMembers())];
        const members = await withMembership(this.#parts, [...new Set(urls)], signal, async (membership) => {
          const all = await membership.list();
          const own = all.find((member) => member.name === name);
          if (own === undefined) return undefined;
          if (await correctPeerUrl(membership, own, url)) log.info('etcd.address-announced', { peerUrl: url });
          return all.filter((member) => member !== own);
        });
        if (members === undefined) throw new CausewayError('store-unavailable', `no member is named ${name} yet`);
        return await firstStart.rememberMembers(members.flatMap(({ clientUrls }) => clientUrls));
      } catch (error) {
        log.debug('etcd.address-not-announced', { message: isCausewayError(error) ? error.message : String(error) });
        await clock.sleep(announcePause, signal);
      }
    }
  }

  /** Client URLs of the members of the cluster to join; 'own' when this manager founds a cluster. */
  async #cluster(): Promise<readonly string[] | 'own'> {
    const { firstStart, join, belongsTo, clock, log } = this.#parts;
    const { dataDir } = this.#settings;
    const signal = this.#signal;
    const managers = join?.managers ?? [];
    const mayFound = await firstStart.mayFound();
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

  /** Client URLs of all members that the managers to join report. */
  async #others(): Promise<readonly string[]> {
    const found = (await this.#parts.join?.ask(this.#signal)) ?? [];
    return [...new Set(found.flatMap(({ members }) => members.flatMap(({ clientUrls }) => clientUrls)))];
  }
}

function noCluster(managers: readonly string[], dataDir: string): CausewayError {
  const message =
    `no manager of a running cluster answers at ${managers.join(',')} (--join, and the managers that this one has known), and ${dataDir} holds no etcd data: start those first; ` +
    `or, if there is no cluster yet, run "causeway-manager init" on one host, and start that one first`;
  return new CausewayError('store-unavailable', message, { field: '--join' });
}
