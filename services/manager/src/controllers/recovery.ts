import type { Name } from '@causeway/model';
import { type Clock, type Duration, type Log, Loop, milliseconds, seconds } from '@causeway/runtime';
import type { TermWriter } from '../commit/writer.ts';
import { type Controller, failureLog, type Term } from '../election/term.ts';
import type { EventSink } from '../events/event-sink.ts';
import { endRecovery, recoveryEnd } from '../plan/recovery.ts';
import type { View } from '../store/view.ts';
import type { HostReports } from './host-reports.ts';

interface RecoveryControllerParts {
  readonly view: Pick<View, 'recovering' | 'nodes'>;
  readonly writer: TermWriter;
  readonly hosts: Pick<HostReports, 'hasRecovered'>;
  readonly relay: Pick<EventSink, 'emit'>;
  readonly clock: Clock;
  readonly log: Log;
}

interface RecoveryControllerSettings {
  /** How long to wait for hosts without a session. */
  readonly cooldown: Duration;
}

/** How often the controller looks during a recovery, which is rare and short. */
const period = milliseconds(500);
const retryAfter = seconds(1);

/** Ends the recovery of a restored store when every host has claimed again what it holds. */
export class RecoveryController implements Controller {
  readonly #parts: RecoveryControllerParts;
  readonly #cooldown: Duration;
  readonly #since: number;

  constructor(parts: RecoveryControllerParts, settings: RecoveryControllerSettings) {
    this.#parts = parts;
    this.#cooldown = settings.cooldown;
    this.#since = parts.clock.now();
  }

  async run({ signal }: Term): Promise<void> {
    const { view, relay, clock, log } = this.#parts;
    if (!view.recovering) return; // no recovery can begin later: a store is restored while no manager runs on it
    const message = 'the store was restored from a backup: hosts claim again what they hold, nothing else is given';
    relay.emit({ kind: 'cluster.restored', cause: 'recovery', message });
    log.error('cluster.restored', { message });
    const step = async (): Promise<Duration | undefined> => {
      await this.#look(signal);
      return view.recovering ? period : undefined;
    };
    await new Loop({ clock }, { step, failed: failureLog(log, 'cluster.not-recovered'), retryAfter }).run(signal);
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { writer, log } = this.#parts;
    if (this.#missingAtEnd() === undefined) return;
    const { reply: missing } = await writer.apply(
      endRecovery(() => this.#missingAtEnd()),
      { cause: 'recovery', signal },
    );
    if (missing !== undefined) log.info('cluster.recovered', { missing });
  }

  /** Hosts that have not reported when the recovery ends; undefined: the recovery is not over yet. */
  #missingAtEnd(): readonly Name[] | undefined {
    const { view, hosts, clock } = this.#parts;
    const missing = [...view.nodes.values()]
      .filter(({ value }) => !hosts.hasRecovered(value.id))
      .map(({ value }) => value.name);
    const isOver = clock.now() >= recoveryEnd(missing.length === 0, this.#since, this.#cooldown);
    return view.recovering && isOver ? missing : undefined;
  }
}
