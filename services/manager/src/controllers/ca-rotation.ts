import { type Clock, type Duration, type Log, Loop, milliseconds, minutes, seconds } from '@causeway/runtime';
import type { TermWriter } from '../commit/writer.ts';
import { type Controller, failureLog, type Term } from '../election/term.ts';
import { expiryTime } from '../plan/expiry-time.ts';
import { finishRotation, isRotating, settledAt, waitingFor } from '../plan/rotate-ca.ts';
import type { View } from '../store/view.ts';

interface CaRotationParts {
  readonly view: View;
  readonly writer: TermWriter;
  readonly clock: Clock;
  readonly log: Log;
}

/** Certificates expire without a change of the view. */
const lookEvery = minutes(1);
const retryAfter = seconds(1);

/** Ends a rotation of the CA when all members have certificates of the new CA. An earlier leader may have begun it. */
export class CaRotation implements Controller {
  readonly #parts: CaRotationParts;

  constructor(parts: CaRotationParts) {
    this.#parts = parts;
  }

  async run({ signal }: Term): Promise<void> {
    const { view, log } = this.#parts;
    const failed = failureLog(log, 'ca.rotation-not-finished');
    const loop = new Loop(this.#parts, { step: () => this.#step(signal), failed, retryAfter });
    const unsubscribe = view.subscribe((changes) => {
      if (changes.some(({ kind }) => kind === 'ca' || kind === 'certificate' || kind === 'reset')) loop.wake();
    });
    await loop.run(signal);
    unsubscribe();
  }

  /** Returns when to look again; undefined: when the view has changed. */
  async #step(signal: AbortSignal): Promise<Duration | undefined> {
    const { view, writer, clock, log } = this.#parts;
    const { ca } = view;
    if (ca === undefined || !isRotating(ca.value)) return undefined;
    const now = expiryTime(view, clock.wall());
    if (waitingFor(view, now).length > 0) return lookEvery;
    const early = settledAt(view) - now;
    if (early > 0) return milliseconds(Math.min(early, lookEvery));
    for (let more = true; more; )
      more = (await writer.apply(finishRotation(now), { cause: 'ca-rotation', signal })).reply;
    log.info('ca.rotated', { generation: ca.value.generation });
    return undefined;
  }
}
