import { assertNever, isCausewayError } from '@causeway/model';
import { type Clock, type Duration, type Log, milliseconds, type Startable } from '@causeway/runtime';
import { leaderCodec } from '../store/codec.ts';
import type { Keys } from '../store/keys.ts';
import type { Store, StoreLease } from '../store/store.ts';
import type { View } from '../store/view.ts';
import { deadline, type ElectionState, type Leadership, nextStep } from './leadership.ts';

interface ElectorParts {
  readonly store: Pick<Store, 'grant' | 'txn'>;
  readonly view: View;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly log: Log;
}

interface ElectorSettings {
  readonly name: string;
  /** Host:port at which others find this manager. */
  readonly address: string;
  /** Time to live of the leader's lease: how long the cluster is without a leader after the leader died. */
  readonly ttl: Duration;
  /** The newest schema of records this version knows. */
  readonly schema: number;
}

/** Share of the time to live after which the store is asked again when it failed. */
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
  /** Ends the present pause: something changed. */
  #wake = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(parts: ElectorParts, settings: ElectorSettings) {
    this.#parts = parts;
    this.#settings = settings;
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

  /** Hands over: a stand-by takes over as soon as it sees the key gone. */
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
    this.#publish();
    while (!this.#stop.signal.aborted) {
      this.#wake = new AbortController();
      await this.#step();
    }
    unsubscribe();
    if (this.#state.kind === 'leading') await this.#resign('handed-over');
  }

  async #step(): Promise<void> {
    const { view, clock } = this.#parts;
    const step = nextStep(this.#state, view, clock.now(), this.#settings.schema);
    switch (step.kind) {
      case 'campaign':
        return await this.#campaign();
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
  async #campaign(): Promise<void> {
    const { store, view, keys, clock, log } = this.#parts;
    const { name, address, ttl, schema } = this.#settings;
    const renewed = clock.now();
    let lease: StoreLease | undefined;
    try {
      lease = await store.grant(ttl);
      const value = leaderCodec.encode({ name, address, since: clock.wall() });
      const { succeeded, revision } = await store.txn(
        [
          { kind: 'absent', key: keys.leader },
          // A manager that has not seen the schema rise does not win; from then on only the leader may raise it.
          { kind: 'unchanged', key: keys.meta, modRevision: view.cluster?.revision ?? 0n },
        ],
        [{ kind: 'put', key: keys.leader, value, lease: lease.id }],
      );
      if (succeeded) {
        this.#lease = lease;
        this.#state = { kind: 'leading', term: revision, renewed, ttl: milliseconds(Math.min(lease.ttl, ttl)) };
        // A victory whose news was long on its way may be over already: then it is not published.
        const step = nextStep(this.#state, view, clock.now(), schema);
        if (step.kind === 'resign') return await this.#resign(step.reason);
        log.info('leader.elected', { term: `${revision}` });
        this.#publish();
        return;
      }
      await this.#giveUp(lease);
      if (view.revision < revision) await this.#pause(ttl);
    } catch (error) {
      log.warn('leader.campaign-failed', { error });
      if (lease !== undefined) await this.#giveUp(lease); // may have won without hearing so: with the lease goes the key
      await this.#pause(milliseconds(ttl * retryShare));
    }
  }

  async #renew(within: Duration): Promise<void> {
    const { clock, log } = this.#parts;
    const state = this.#state;
    if (state.kind !== 'leading' || this.#lease === undefined) return;
    const sent = clock.now();
    const over = new AbortController();
    const late = clock.sleep(within, AbortSignal.any([over.signal, this.#stop.signal])).then(() => 'late' as const);
    const attempt = this.#lease.renew(over.signal);
    attempt.catch(() => undefined); // given up: its outcome is of no interest any more
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

  /** leading -> standby; the manager's parts stop leading before the lease is revoked. */
  async #resign(reason: string): Promise<void> {
    const { log } = this.#parts;
    const lease = this.#lease;
    if (this.#state.kind === 'leading') log.info('leader.resigned', { term: `${this.#state.term}`, reason });
    this.#state = { kind: 'standby' };
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
    if (this.#stop.signal.aborted) return;
    await this.#parts.clock.sleep(span, this.#wake.signal);
  }

  #publish(): void {
    const next = this.#current();
    if (isSame(this.#leadership, next)) return;
    this.#leadership = next;
    for (const listener of this.#listeners) listener(next);
  }

  /** Its own key that it does not believe in any more names no leader. */
  #current(): Leadership {
    if (this.#state.kind === 'leading') return { role: 'leader', term: this.#state.term };
    const { leader } = this.#parts.view;
    if (leader === undefined || leader.address === this.#settings.address) return { role: 'follower' };
    return { role: 'follower', leader: { name: leader.name, address: leader.address } };
  }
}

function isSame(a: Leadership, b: Leadership): boolean {
  if (a.role === 'leader') return b.role === 'leader' && a.term === b.term;
  return b.role === 'follower' && a.leader?.address === b.leader?.address && a.leader?.name === b.leader?.name;
}
