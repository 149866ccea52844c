import { assertNever, isCausewayError } from '@causeway/model';
import { type Clock, type Duration, type Log, milliseconds, type Startable } from '@causeway/runtime';
import type { Keys } from '../store/keys.ts';
import { records } from '../store/records/index.ts';
import type { Store, StoreLease } from '../store/store.ts';
import type { LeaderRecord, View } from '../store/view.ts';
import type { Dialer } from './dialer.ts';
import { LeaderWatch } from './leader-watch.ts';
import {
  deadline,
  type ElectionState,
  isSame,
  type Leadership,
  leadershipOf,
  nextStep,
  stateAtStart,
  toWatch,
} from './leadership.ts';

interface ElectorParts {
  readonly store: Pick<Store, 'grant' | 'revoke' | 'txn'>;
  readonly view: View;
  readonly keys: Keys;
  /** Absent: this manager notices the death of a leader only by the end of the leader's lease. */
  readonly dialer?: Dialer;
  readonly clock: Clock;
  readonly log: Log;
}

interface ElectorSettings {
  readonly name: string;
  /** Host:port at which others reach this manager. */
  readonly address: string;
  /** Time to live of the leader's lease: if a leader dies unnoticed, another manager leads when this time has passed. */
  readonly ttl: Duration;
  /** The newest schema of records that this version knows. */
  readonly schema: number;
}

/** After a failure of the store, the elector tries again after this share of the time to live. */
const retryShare = 1 / 20;

/** Takes part in the election of the leader, and publishes the outcome to the other parts of the manager. */
export class Elector implements Startable {
  readonly #parts: ElectorParts;
  readonly #settings: ElectorSettings;
  readonly #stop = new AbortController();
  readonly #listeners = new Set<(leadership: Leadership) => void>();
  #state: ElectionState = { kind: 'standby' };
  #lease: StoreLease | undefined;
  #leadership: Leadership = { role: 'follower' };
  readonly #leaderWatch: LeaderWatch | undefined;
  /** Aborted to end the present pause, when something has changed. */
  #wake = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(parts: ElectorParts, settings: ElectorSettings) {
    this.#parts = parts;
    this.#settings = settings;
    const { dialer, clock } = parts;
    this.#leaderWatch = dialer && new LeaderWatch({ dialer, clock }, (leader) => this.#processGone(leader));
  }

  get leadership(): Leadership {
    return this.#leadership;
  }

  /** Called with every change of `leadership`. Returns the way to stop listening. */
  subscribe(listener: (leadership: Leadership) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(): Promise<void> {
    this.#running = this.#run();
    return Promise.resolve();
  }

  /** Hands over: a standby takes over as soon as it sees that the key is gone. A start after this does nothing. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const unsubscribe = this.#parts.view.subscribe((changes) => {
      if (!changes.some(({ kind }) => kind === 'leader' || kind === 'cluster' || kind === 'reset')) return;
      this.#publish();
      this.#wake.abort();
    });
    this.#state = stateAtStart(this.#parts.view.leader, this.#settings);
    this.#publish();
    while (!this.#stop.signal.aborted) {
      this.#wake = new AbortController();
      await this.#step();
    }
    unsubscribe();
    this.#leaderWatch?.watch(undefined);
    await this.#resign('handed-over');
  }

  async #step(): Promise<void> {
    const { view, clock } = this.#parts;
    const step = nextStep(this.#state, view, clock.now(), this.#settings.schema);
    switch (step.kind) {
      case 'campaign':
        return await this.#campaign(step.ends);
      case 'watch':
        return await this.#pause(this.#settings.ttl);
      case 'renew':
        return await this.#renew(step.within);
      case 'wait':
        return await this.#pause(step.span);
      case 'resign':
        return await this.#resign(step.reason);
      default:
        return assertNever(step);
    }
  }

  /** standby -> leading, when no other manager was first */
  async #campaign(ends: bigint | undefined): Promise<void> {
    const { store, view, keys, clock, log } = this.#parts;
    const { name, address, ttl, schema } = this.#settings;
    const renewed = clock.now();
    let lease: StoreLease | undefined;
    try {
      lease = await store.grant(ttl);
      if (ends !== undefined) await this.#endTerm(ends);
      const value = records.leader.codec.encode({ name, address, since: clock.wall(), lease: lease.id });
      const { succeeded, revision } = await store.txn(
        [
          { kind: 'absent', key: keys.leader },
          // A manager that has not seen a raise of the schema does not win. After the election only the leader may raise it.
          { kind: 'unchanged', key: keys.meta, modRevision: view.cluster?.revision ?? 0n },
        ],
        [{ kind: 'put', key: keys.leader, value, lease: lease.id }],
      );
      if (succeeded) {
        this.#lease = lease;
        this.#state = { kind: 'leading', term: revision, renewed, ttl: milliseconds(Math.min(lease.ttl, ttl)) };
        // The store's answer may have taken so long that the term is over already. Then the term is not published.
        const step = nextStep(this.#state, view, clock.now(), schema);
        if (step.kind === 'resign') return await this.#resign(step.reason);
        log.info('leader.elected', { term: `${revision}` });
        this.#publish();
        return;
      }
      await this.#giveUp(lease);
      await this.#pause(ttl); // until the view has the write that was in the way: not at all if the view has it already
    } catch (error) {
      log.warn('leader.campaign-failed', { error });
      if (lease !== undefined) await this.#giveUp(lease); // may have won although the answer was lost: this deletes the key
      await this.#pause(milliseconds(ttl * retryShare));
    }
  }

  async #renew(within: Duration): Promise<void> {
    const { clock, log } = this.#parts;
    const state = this.#state;
    // Stryker disable next-line ConditionalExpression,LogicalOperator: only a leader renews, and a leader has a lease
    if (state.kind !== 'leading' || this.#lease === undefined) return;
    const sent = clock.now();
    const over = new AbortController();
    // A process that was busy for so long may not have read the answer yet: timers run before sockets.
    const waited = clock.sleep(within, AbortSignal.any([over.signal, this.#stop.signal])).then(() => clock.yield());
    const late = waited.then(() => 'late' as const);
    const attempt = this.#lease.renew(over.signal);
    attempt.catch(() => undefined); // a renewal that was given up may still fail: its outcome no longer matters
    try {
      const granted = await Promise.race([attempt, late]);
      if (granted === 'late') return;
      this.#state = { ...state, renewed: sent, ttl: milliseconds(Math.min(granted, this.#settings.ttl)) };
    } catch (error) {
      log.warn('leader.renewal-failed', { term: `${state.term}`, error });
      if (isCausewayError(error) && error.data['lease'] === 'gone') return await this.#resign('lease-gone');
      await this.#pause(milliseconds(Math.min(this.#settings.ttl * retryShare, deadline(state) - clock.now())));
    } finally {
      over.abort();
    }
  }

  /** standby -> standby; the term of the process is over, whatever the store says. */
  #processGone({ term, name }: LeaderRecord): void {
    this.#parts.log.info('leader.process-gone', { term: `${term}`, leader: name });
    this.#state = { kind: 'standby', over: term };
    this.#wake.abort();
  }

  /** Ends the term of a process that is gone. A lease belongs to one term, so this call ends that term or none. */
  async #endTerm(lease: bigint): Promise<void> {
    const { store, view, log } = this.#parts;
    log.info('leader.term-ended', { term: `${view.leader?.term}`, leader: view.leader?.name });
    await store.revoke(lease);
  }

  /** leading, standby -> standby; the manager's parts stop leading before the lease is revoked. */
  async #resign(reason: string): Promise<void> {
    const { log } = this.#parts;
    const lease = this.#lease;
    if (this.#state.kind === 'leading') {
      log.info('leader.resigned', { term: `${this.#state.term}`, reason });
      this.#state = { kind: 'standby', over: this.#state.term };
    }
    this.#lease = undefined;
    this.#publish();
    if (lease !== undefined) await this.#giveUp(lease);
  }

  /** Best effort: a lease that cannot be revoked ends by itself. */
  async #giveUp(lease: StoreLease): Promise<void> {
    try {
      await lease.revoke();
    } catch (error) {
      this.#parts.log.debug('leader.revoke-failed', { error });
    }
  }

  async #pause(span: Duration): Promise<void> {
    await this.#parts.clock.sleep(span, this.#wake.signal);
  }

  #publish(): void {
    const { leader } = this.#parts.view;
    this.#leaderWatch?.watch(toWatch(this.#state, leader, this.#settings));
    const next = leadershipOf(this.#state, leader, this.#settings);
    if (isSame(this.#leadership, next)) return;
    this.#leadership = next;
    for (const listener of this.#listeners) listener(next);
  }
}
