import type { NodeId } from '@causeway/model';
import { type Clock, type Duration, type Log, milliseconds, seconds, Worker } from '@causeway/runtime';
import type { Teller } from '../events/recorder.ts';
import type { View } from '../store/view.ts';
import type { Writer } from '../writer/writer.ts';
import { endRecovery, recoveryEnd } from './recovery.ts';

export interface RecovererParts {
  readonly view: Pick<View, 'recovering' | 'nodes'>;
  readonly writer: Pick<Writer, 'apply' | 'isLeading'>;
  readonly hasRecovered: (node: NodeId) => boolean;
  readonly teller: Pick<Teller, 'tell'>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface RecovererSettings {
  /** How long hosts that cannot be asked are waited for. */
  readonly cooldown: Duration;
}

/** A recovery is rare and short: while there is one, it is looked at this often. */
const period = milliseconds(500);
const retryDelay = seconds(1);

/** While this manager leads a restored store: ends the recovery once every host has claimed again what it holds. */
export class Recoverer {
  readonly #parts: RecovererParts;
  readonly #cooldown: Duration;
  readonly #worker = new Worker((signal) => this.#work(signal));

  constructor(parts: RecovererParts, settings: RecovererSettings) {
    this.#parts = parts;
    this.#cooldown = settings.cooldown;
  }

  stop(): Promise<void> {
    return this.#worker.stop();
  }

  /** To be called on election. */
  lead(): void {
    if (this.#parts.view.recovering) void this.#worker.poke();
  }

  async #work(signal: AbortSignal): Promise<void> {
    const { view, writer, hasRecovered, teller, clock, log } = this.#parts;
    const since = clock.now();
    const message = 'the store was restored from a backup: hosts claim again what they hold, nothing else is given';
    teller.tell({ kind: 'cluster.restored', cause: 'recovery', message });
    log.error('cluster.restored', { message });
    while (view.recovering && writer.isLeading && !signal.aborted) {
      await clock.sleep(period, signal);
      const missing = [...view.nodes.values()]
        .filter(({ value }) => !hasRecovered(value.id))
        .map(({ value }) => value.name);
      if (clock.now() < recoveryEnd(missing.length === 0, since, this.#cooldown)) continue;
      try {
        await writer.apply(endRecovery(missing), { cause: 'recovery', signal });
        log.info('cluster.recovered', { missing });
      } catch (error) {
        log.warn('cluster.not-recovered', { message: String(error) });
        await clock.sleep(retryDelay, signal);
      }
    }
  }
}
