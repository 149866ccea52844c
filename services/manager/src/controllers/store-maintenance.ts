import { assertNever } from '@causeway/model';
import { type Clock, type Duration, type Log, Loop, minutes, seconds } from '@causeway/runtime';
import type { Maintenance } from '../cluster/maintenance/maintenance.ts';
import {
  type MaintenanceSettings,
  type MaintenanceState,
  type MaintenanceStep,
  planMaintenance,
  type SpaceRecovery,
} from '../cluster/maintenance/plan-maintenance.ts';
import { interval, type StoreMonitor } from '../cluster/maintenance/store-monitor.ts';
import { type Controller, failureLog, type Term } from '../election/term.ts';
import type { StoreMemberStatus } from '../store/store.ts';
import type { View } from '../store/view.ts';

interface StoreMaintenanceParts {
  readonly maintenance: Pick<Maintenance, 'compact' | 'defragment' | 'disarm'>;
  readonly monitor: Pick<StoreMonitor, 'look' | 'samples'>;
  readonly view: Pick<View, 'revision'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** When the store has had no alarm for this time, the tries of the last recovery from NOSPACE no longer count. */
const recoveryLasts = minutes(20);

/** Pause between a step and the next look at the members, so that their figures show the effect of the step. */
const settling = seconds(1);

/** Keeps the store small: compacts and defragments the store, and clears the alarm NOSPACE. */
export class StoreMaintenance implements Controller {
  readonly #parts: StoreMaintenanceParts;
  readonly #settings: MaintenanceSettings;
  readonly #defragmented = new Map<string, number>();
  #compacted = 0n;
  #recovery: SpaceRecovery | undefined;

  constructor(parts: StoreMaintenanceParts, settings: MaintenanceSettings) {
    this.#parts = parts;
    this.#settings = settings;
  }

  run({ signal }: Pick<Term, 'signal'>): Promise<void> {
    const { monitor, log } = this.#parts;
    const step = async (): Promise<Duration> => {
      const members = await monitor.look();
      return !signal.aborted && (await this.act(members)) ? settling : interval;
    };
    return new Loop(this.#parts, {
      step,
      failed: failureLog(log, 'store.maintenance-failed'),
      retryAfter: interval,
    }).run(signal);
  }

  /** Takes one step for members in this state. True if something was done: more may be needed. */
  async act(members: readonly StoreMemberStatus[]): Promise<boolean> {
    const isWell = members.every(({ alarms }) => alarms.length === 0);
    if (isWell && this.#parts.clock.now() - (this.#recovery?.since ?? 0) > recoveryLasts) this.#recovery = undefined;
    const step = planMaintenance(this.#state(members), this.#settings);
    await this.#do(step);
    return step.kind !== 'rest';
  }

  #state(members: readonly StoreMemberStatus[]): MaintenanceState {
    const { clock, view, monitor } = this.#parts;
    return {
      now: clock.now(),
      members,
      samples: monitor.samples,
      revision: view.revision,
      compacted: this.#compacted,
      defragmented: this.#defragmented,
      ...(this.#recovery !== undefined && { recovery: this.#recovery }),
    };
  }

  async #do(step: MaintenanceStep): Promise<void> {
    const { maintenance, clock, log } = this.#parts;
    switch (step.kind) {
      case 'rest':
        return;
      case 'compact':
        await maintenance.compact(step.revision);
        this.#compacted = step.revision;
        log.debug('store.compacted', { revision: `${step.revision}` });
        break;
      case 'defragment':
        await maintenance.defragment(step.member);
        this.#defragmented.set(step.member.id, clock.now());
        log.info('store.defragmented', {
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
}
