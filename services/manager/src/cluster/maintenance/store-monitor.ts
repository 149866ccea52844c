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
  /** Hears what each look has found. */
  readonly found?: ((members: readonly StoreMemberStatus[]) => void) | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** From one look at the members to the next. */
export const interval = seconds(10);

/** Without a look of the leader's, which has its own rhythm. */
const overdue = milliseconds(interval + seconds(1));

/** The members answer with this once more after a step, so that what it freed shows. */
const settling = seconds(1);

/** A look that began no longer ago and is still under way is whole enough for whoever asks now. */
const shared = milliseconds(100);

/**
 * The one place from which a manager looks at the store's members: for maintenance, for the endpoints that the store is
 * reached at, and for status. Each manager samples the revision, so that a new leader knows the past hour; and each gets
 * the store out of NOSPACE while no manager leads, since a lease and a key are what a full store refuses. (Two may then
 * defragment two members at once; writes are refused anyway.)
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

  /** Oldest first. */
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

  /** How the members are now. @throws CausewayError store-unavailable */
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

  /** The leader looks by itself, no less often; so may callers that ask for status. */
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

  /** Once for each change of the alarms. */
  #report(members: readonly StoreMemberStatus[]): void {
    const { log } = this.#parts;
    const raised = members.flatMap(({ name, alarms }) => alarms.map((alarm) => `${name}: ${alarm}`)).join(', ');
    if (raised === this.#alarms) return;
    this.#alarms = raised;
    if (raised === '') log.info('store.alarms-cleared');
    else log.error('store.alarms-raised', { alarms: raised });
  }
}
