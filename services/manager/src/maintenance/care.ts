import { assertNever, isCausewayError } from '@causeway/model';
import { type Clock, type Log, minutes, type Startable, seconds } from '@causeway/runtime';
import type { StoreMemberStatus } from '../store/store.ts';
import type { View } from '../store/view.ts';
import type { Maintenance } from './maintenance.ts';
import {
  addSample,
  type CareSettings,
  type CareState,
  type CareStep,
  planCare,
  type Recovery,
  type Sample,
} from './schedule.ts';

export interface CareParts {
  readonly maintenance: Maintenance;
  readonly view: Pick<View, 'revision' | 'leader'>;
  /** Whether this manager leads. */
  readonly leads: () => boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/** From one look at the members to the next. */
const interval = seconds(10);

/** Without alarm for so long after it, the next NOSPACE has no history of failed tries. */
const recoveryLasts = minutes(20);

/** The members answer with this once more after a step, so that what it freed shows. */
const settling = seconds(1);

/**
 * Cares for the store: the leader does. While nobody leads every manager gets the store out of NOSPACE: nobody can be elected in it,
 * since a lease and a key are what a full store refuses. (Two may then defragment two members at once; writes are refused anyway.)
 * Every manager samples the revision, so that a new leader knows the past hour.
 */
export class Care implements Startable {
  readonly #parts: CareParts;
  readonly #settings: CareSettings;
  readonly #stop = new AbortController();
  readonly #defragmented = new Map<string, number>();
  #samples: readonly Sample[] = [];
  #compacted = 0n;
  #recovery: Recovery | undefined;
  #alarms = '';
  #running: Promise<void> = Promise.resolve();

  constructor(parts: CareParts, settings: CareSettings) {
    this.#parts = parts;
    this.#settings = settings;
  }

  start(): Promise<void> {
    this.#running = this.#run();
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock } = this.#parts;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const acted = await this.#step();
      await clock.sleep(acted ? settling : interval, signal);
    }
  }

  /** True when something was done, and there may be more. */
  async #step(): Promise<boolean> {
    const { maintenance, view, clock, log } = this.#parts;
    const now = clock.now();
    this.#samples = addSample(this.#samples, { at: now, revision: view.revision }, this.#settings);
    try {
      const members = await maintenance.members();
      this.#report(members);
      if (!this.#isOurs(members)) return false;
      const step = planCare(this.#state(members), this.#settings);
      await this.#act(step);
      return step.kind !== 'rest';
    } catch (error) {
      log.warn('store-care-failed', { message: isCausewayError(error) ? error.message : String(error) });
      return false;
    }
  }

  #isOurs(members: readonly StoreMemberStatus[]): boolean {
    if (this.#parts.leads()) return true;
    return this.#parts.view.leader === undefined && members.some(({ alarms }) => alarms.includes('NOSPACE'));
  }

  #state(members: readonly StoreMemberStatus[]): CareState {
    return {
      now: this.#parts.clock.now(),
      members,
      samples: this.#samples,
      revision: this.#parts.view.revision,
      compacted: this.#compacted,
      defragmented: this.#defragmented,
      ...(this.#recovery !== undefined && { recovery: this.#recovery }),
    };
  }

  async #act(step: CareStep): Promise<void> {
    const { maintenance, clock, log } = this.#parts;
    switch (step.kind) {
      case 'rest':
        return;
      case 'compact':
        await maintenance.compact(step.revision);
        this.#compacted = step.revision;
        log.debug('store-compacted', { revision: `${step.revision}` });
        break;
      case 'defragment':
        await maintenance.defragment(step.member);
        this.#defragmented.set(step.member.id, clock.now());
        log.info('store-defragmented', {
          member: step.member.name,
          size: step.member.size,
          inUse: step.member.sizeInUse,
        });
        break;
      case 'disarm':
        await maintenance.disarm('NOSPACE');
        break;
      default:
        assertNever(step);
    }
    this.#recovery = step.recovery ?? this.#recovery;
  }

  /** Once for each change of the alarms. */
  #report(members: readonly StoreMemberStatus[]): void {
    const { log, clock } = this.#parts;
    const raised = members.flatMap(({ name, alarms }) => alarms.map((alarm) => `${name}: ${alarm}`)).join(', ');
    if (raised === '' && clock.now() - (this.#recovery?.since ?? 0) > recoveryLasts) this.#recovery = undefined;
    if (raised === this.#alarms) return;
    this.#alarms = raised;
    if (raised === '') log.info('store-alarms-gone');
    else log.error('store-alarms', { alarms: raised });
  }
}
