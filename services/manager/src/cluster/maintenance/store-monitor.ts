import { isCausewayError } from '@causeway/model';
import { type Clock, type Duration, type Log, Loop, milliseconds, type Startable, seconds } from '@causeway/runtime';
import type { StoreMemberStatus } from '../../store/store.ts';
import type { View } from '../../store/view.ts';
import type { Maintenance } from './maintenance.ts';
import { addSample, type MaintenanceSettings, type Sample } from './plan-maintenance.ts';

export interface StoreMonitorParts {
  readonly maintenance: Pick<Maintenance, 'members'>;
  readonly view: Pick<View, 'revision' | 'leader'>;
  /** One that begins to care for a store in which no manager can be elected. */
  readonly care: (watch: StoreMonitor) => { act(members: readonly StoreMemberStatus[]): Promise<boolean> };
  readonly clock: Clock;
  readonly log: Log;
}

/** From one look at the members to the next. */
export const interval = seconds(10);

/** Without a look of the leader's, which has its own rhythm. */
const overdue = milliseconds(interval + seconds(1));

/** The members answer with this once more after a step, so that what it freed shows. */
const settling = seconds(1);

/**
 * Looks at the store on every manager. Each samples the revision, so that a new leader knows the past hour; and each gets
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
  #emergency: ReturnType<StoreMonitorParts['care']> | undefined;
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
    const { maintenance, clock, view } = this.#parts;
    this.#lookedAt = clock.now();
    this.#samples = addSample(this.#samples, { at: this.#lookedAt, revision: view.revision }, this.#settings);
    const members = await maintenance.members();
    this.#report(members);
    return members;
  }

  /** The leader looks by itself, no less often. */
  async #step(): Promise<Duration> {
    const since = this.#parts.clock.now() - this.#lookedAt;
    if (since < overdue && this.#emergency === undefined) return milliseconds(overdue - since);
    const members = await this.look();
    if (!this.#isOrphaned(members)) {
      this.#emergency = undefined;
      return overdue;
    }
    this.#emergency ??= this.#parts.care(this);
    return (await this.#emergency.act(members)) ? settling : interval;
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
