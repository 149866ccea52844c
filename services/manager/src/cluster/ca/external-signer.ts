import {
  acceptNextRoot,
  acceptOrdered,
  type Certificate,
  type CertificateOrder,
  type NextRoot,
  type PublicKey,
} from '@causeway/identity';
import { CausewayError, isCausewayError, type Result } from '@causeway/model';
import type { Clock, Log } from '@causeway/runtime';
import type { ExternalCa } from './external-ca.ts';

interface ExternalSignerParts {
  readonly ca: ExternalCa;
  readonly clock: Pick<Clock, 'wall'>;
  readonly log: Log;
}

/** The outcome of a call of an external CA. */
export interface CaCall {
  /** When the call ended, Unix ms. */
  readonly at: number;
  /** Why it failed; absent: it worked. */
  readonly failure?: string;
}

/** An external CA whose answers are verified. It remembers how the last call ended, for operators. */
export class ExternalSigner {
  readonly #parts: ExternalSignerParts;
  #last: CaCall | undefined;

  constructor(parts: ExternalSignerParts) {
    this.#parts = parts;
  }

  /** As `ExternalCa.name`. */
  get name(): string {
    return this.#parts.ca.name;
  }

  /** Undefined: there was no call since the process began. */
  get last(): CaCall | undefined {
    return this.#last;
  }

  /** The certificate that was ordered for this key. `now`: Unix ms. @throws CausewayError external-ca-failed */
  issue(
    order: CertificateOrder,
    { key, now, signal }: { readonly key: PublicKey; readonly now: number; readonly signal: AbortSignal },
  ): Promise<Certificate> {
    const { ca } = this.#parts;
    return this.#call(signal, async () => acceptOrdered(await ca.issue(order, signal), { order, key, now }));
  }

  /** The root that follows the present root. `now`: Unix ms. @throws CausewayError external-ca-failed */
  next(
    present: Certificate,
    { now, signal }: { readonly now: number; readonly signal: AbortSignal },
  ): Promise<NextRoot> {
    const { ca } = this.#parts;
    return this.#call(signal, async () => acceptNextRoot(await ca.next(present, signal), { present, now }));
  }

  async #call<Value>(signal: AbortSignal, ask: () => Promise<Result<Value, CausewayError>>): Promise<Value> {
    const { clock } = this.#parts;
    try {
      const value = this.#accepted(await ask());
      this.#last = { at: clock.wall() };
      return value;
    } catch (error) {
      // A caller who has left says nothing about the CA.
      if (isCausewayError(error) && !signal.aborted) this.#last = { at: clock.wall(), failure: error.message };
      throw error;
    }
  }

  #accepted<Value>(result: Result<Value, CausewayError>): Value {
    if (result.ok) return result.value;
    const { message: reason } = result.error;
    this.#parts.log.warn('ca.answer-refused', { ca: this.name, reason });
    const message = `what ${this.name} has printed is not used: ${reason}`;
    throw new CausewayError('external-ca-failed', message, { ca: this.name });
  }
}
