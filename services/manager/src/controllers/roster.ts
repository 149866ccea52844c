import { type Clock, type Log, Loop, seconds } from '@causeway/runtime';
import { keepRoster, rosterChanges } from '../cluster/roster.ts';
import type { TermWriter } from '../commit/writer.ts';
import { type Controller, failureLog, type Term } from '../election/term.ts';
import type { View } from '../store/view.ts';

interface RosterControllerParts {
  readonly view: View;
  readonly writer: TermWriter;
  readonly clock: Clock;
  readonly log: Log;
}

const retryAfter = seconds(1);

/** Keeps a record of every known manager, and since when a manager is gone. */
export class RosterController implements Controller {
  readonly #parts: RosterControllerParts;

  constructor(parts: RosterControllerParts) {
    this.#parts = parts;
  }

  async run({ signal }: Term): Promise<void> {
    const { view, log } = this.#parts;
    const step = (): Promise<undefined> => this.#settle(signal);
    const loop = new Loop(this.#parts, { step, failed: failureLog(log, 'manager.roster-not-kept'), retryAfter });
    const unsubscribe = view.subscribe((changes) => {
      if (changes.some(({ kind }) => kind === 'manager' || kind === 'reset')) loop.wake();
    });
    await loop.run(signal);
    unsubscribe();
  }

  async #settle(signal: AbortSignal): Promise<undefined> {
    const { view, writer } = this.#parts;
    while (!signal.aborted && rosterChanges(view).length > 0)
      await writer.apply(keepRoster(), { cause: 'roster', signal });
  }
}
