import { isCausewayError } from '@causeway/model';
import { type Clock, type Duration, type Log, Loop, milliseconds, type Startable, seconds } from '@causeway/runtime';
import type { Store, StoreMemberStatus } from '../../store/store.ts';
import type { View } from '../../store/view.ts';
import { addSample, type MaintenanceSettings, type Sample } from './plan-maintenance.ts';

export interface StoreMonitorParts {
  readonly store: Pick<Store, 'members'>;
  readonly view: Pick<View, 'revision' | 'leader'>;
  /** Maintenance for a store in which no manager can be elected; absent: the store needs none. */
  readonly maintenance?: () => { act(members: readonly StoreMemberStatus[]): Promise<boolean> };
  /** Called with the result of each look. */
  readonly found?: ((members: readonly StoreMemberStatus[]) => void) | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** Time between two looks at the members. */
export const interval = seconds(10);

/**
 * The monitor itself looks when there was no look for this long. The leader's maintenance looks at its own, shorter
 * interval.
 */
const overdue = milliseconds(interval + seconds(1));

/**
 * After a maintenance step the monitor looks again after this time, so that the members' answers show what the step has
 * freed.
 */
const settling = seconds(1);

/** A look that is still under way and began at most this long ago also serves a new caller. */
const shared = milliseconds(100);

/**
 * The one place from which a manager asks the store's members for their status: for maintenance, for the endpoints at
 * which the store is reached, and for status calls. Each manager samples the revision, so that a new leader knows the
 * past hour. Each manager also recovers the store from NOSPACE while no manager leads, because a full store refuses the
 * lease and the key that a leader needs. (Two managers may then defragment two members at once; writes are refused
 * anyway.)
 */
export class StoreMonitor implements Startable {
  readonly #parts: StoreMonitorParts;
  readonly #settings: MaintenanceSettings;
  readonly #stop = new AbortController();
  #samples: readonly Sample[] = [];
  #alarms = '';
  #lookedAt = Number.NEGATIVE_INFINITY;
  #members: readonly StoreMemberStatus[] = [];
  #underWay: Promise<readonly StoreMemberStatus[]> | undefined;
  #emergency: { act(members: readonly StoreMemberStatus[]): Promise<boolean> } | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(parts: StoreMonitorParts, settings: MaintenanceSettings) {
    this.#parts = parts;
    this.#settings = settings;
  }

  /** Oldest sample first. */
  get samples(): readonly Sample[] {
    return this.#samples;
  }

  async start(): Promise<void> {
    const failed = (error: unknown): void =>
      this.#parts.log.warn('store.maintenance-failed', {
        message: isCausewayError(error) ? error.message : String(error),
      });
    const loop = new Loop(this.#parts, { step: () => this.#step(), failed, retryAfter: interval });
    this.#running = loop.run(this.#stop.signal);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** Status of the members now. @throws CausewayError store-unavailable */
  async look(): Promise<readonly StoreMemberStatus[]> {
    const now = this.#parts.clock.now();
    if (this.#underWay !== undefined && now - this.#lookedAt < shared) return await this.#underWay;
    this.#lookedAt = now;
    this.#samples = addSample(this.#samples, { at: now, revision: this.#parts.view.revision }, this.#settings);
    const look = this.#look();
    this.#underWay = look;
    try {
      return await look;
    } finally {
      if (this.#underWay === look) this.#underWay = undefined;
    }
  }

  async #look(): Promise<readonly StoreMemberStatus[]> {
    const { store, found } = this.#parts;
    const members = await store.members();
    this.#members = members;
    this.#report(members);
    if (!this.#stop.signal.aborted) found?.(members);
    return members;
  }

  /** Looks only if nothing else did: the leader's maintenance looks at least as often, and status calls look, too. */
  async #step(): Promise<Duration> {
    const since = this.#parts.clock.now() - this.#lookedAt;
    const isCalm = this.#emergency === undefined && !this.#isOrphaned(this.#members);
    if (isCalm && since < overdue) return milliseconds(overdue - since);
    const members = await this.look();
    if (!this.#isOrphaned(members)) {
      this.#emergency = undefined;
      return overdue;
    }
    this.#emergency ??= this.#parts.maintenance?.();
    return (await this.#emergency?.act(members)) === true ? settling : interval;
  }

  #isOrphaned(members: readonly StoreMemberStatus[]): boolean {
    return this.#parts.view.leader === undefined && members.some(({ alarms }) => alarms.includes('NOSPACE'));
  }

  /** Logs each change of the alarms once. */
  #report(members: readonly StoreMemberStatus[]): void {
    const { log } = this.#parts;
    const raised = members.flatMap(({ name, alarms }) => alarms.map((alarm) => `${name}: ${alarm}`)).join(', ');
    if (raised === this.#alarms) return;
    this.#alarms = raised;
    if (raised === '') log.info('store.alarms-cleared');
    else log.error('store.alarms-raised', { alarms: raised });
  }
}
