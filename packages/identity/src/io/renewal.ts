import { type CausewayError, isCausewayError, unwrap } from '@causeway/model';
import {
  type Clock,
  type Duration,
  type Log,
  Loop,
  milliseconds,
  type Random,
  type Startable,
  seconds,
} from '@causeway/runtime';
import type { Credential } from '../credential.ts';
import { checkClock, isLate, renewalTime } from '../lifetimes.ts';
import { isOfFormerCa } from '../renewal.ts';
import { formatTime } from '../time.ts';
import { parseTrustBundle } from '../trust.ts';
import type { LiveCredential } from './live-credential.ts';
import { type CertificateSource, type RenewParts, renew, type Trust } from './renew.ts';

interface RenewalParts extends RenewParts {
  readonly credential: LiveCredential;
  readonly source: CertificateSource;
  /** Takes which managers there are, and which were removed. */
  readonly learn: (told: Pick<Trust, 'removed' | 'managers'>) => Promise<void>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** How often the managers are asked which roots are trusted; a random half is added, so that members do not ask together. */
const askEvery = seconds(40);
const retryAfter = seconds(30);

/**
 * Renews the credential of a process in time, and when the CA changes. The next connections use the new certificate; those
 * that are open go on.
 */
export class Renewal implements Startable {
  readonly #parts: RenewalParts;
  readonly #stopping = new AbortController();
  readonly #loop: Loop;
  #running: Promise<void> = Promise.resolve();
  /** When the present certificate is to be renewed, Unix ms. */
  #due: number;

  constructor(parts: RenewalParts) {
    this.#parts = parts;
    this.#due = this.#dueOf(parts.credential.current);
    const failed = (error: unknown): void => this.#failed(error);
    this.#loop = new Loop(parts, { step: (signal) => this.#step(signal), failed, retryAfter });
  }

  start(): Promise<void> {
    this.#running = this.#loop.run(this.#stopping.signal);
    return Promise.resolve();
  }

  /** The CA may have changed: the managers are asked at once. */
  wake(): void {
    this.#loop.wake();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #step(signal: AbortSignal): Promise<Duration> {
    const { credential, source, clock, random, log } = this.#parts;
    const { roots, time, removed, managers } = await source.trust(signal);
    await this.#parts.learn({ removed, managers });
    const inTime = checkClock(clock.wall(), time);
    if (!inTime.ok) log.warn('clock.wrong', { message: inTime.error.message });
    const isDue = clock.wall() >= this.#due;
    if (isDue || isOfFormerCa(credential.current, unwrap(parseTrustBundle(roots)))) await this.#renew(signal);
    return milliseconds(askEvery * (1 + random.float() / 2));
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const { credential, log } = this.#parts;
    const next = await renew(this.#parts, credential.current, signal);
    credential.replace(next);
    this.#due = this.#dueOf(next);
    const [{ serial, notAfter }] = next.chain;
    log.info('certificate.renewed', { serial, expires: formatTime(notAfter) });
  }

  #failed(error: unknown): void {
    const { credential, clock, log } = this.#parts;
    const [certificate] = credential.current.chain;
    const known: CausewayError | undefined = isCausewayError(error) ? error : undefined;
    const fields = {
      code: known?.code,
      message: known?.message ?? String(error),
      expires: formatTime(certificate.notAfter),
    };
    if (isLate(certificate, clock.wall())) log.warn('certificate.not-renewed', fields);
    else log.debug('certificate.not-renewed', fields);
  }

  #dueOf({ chain: [certificate] }: Credential): number {
    return renewalTime(certificate, this.#parts.random);
  }
}
