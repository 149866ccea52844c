import { CausewayError, fail, ok, type Result } from '@causeway/model';
import { type Duration, formatDuration, minutes, type Random } from '@causeway/runtime';
import { formatTime, roughly } from './time.ts';
import type { Certificate } from './x509/certificate.ts';

const hours = (count: number): Duration => minutes(count * 60);
const days = (count: number): Duration => hours(count * 24);

/** Life of a root. The certificates of nodes end with it, so it is replaced (CA rotation) long before. */
export const rootLife = days(3652);

/** Life of a node's certificate: what an attacker gains who stole a key and is not noticed. */
export const nodeLife = days(30);
const shortestLife = hours(1);
/**
 * Life of a certificate that was made without the store, which has no record of it. It is shorter than that of all others, so its
 * holder knows that it is to be renewed at once.
 */
export const passingLife = minutes(45);
export const longestLife = days(90);

/**
 * A certificate is valid from this long before it is issued, so that a host whose clock is a little behind accepts it.
 * Clocks that differ by more are refused at join (`checkClock`).
 */
export const backdating = minutes(10);

/** Largest difference between the clocks of two hosts. Half of what certificates forgive. */
export const clockTolerance = minutes(5);

/** When the certificate was issued, Unix ms. */
export function issuedAt({ notBefore }: Pick<Certificate, 'notBefore'>): number {
  return notBefore + backdating;
}

/** The setting for the life of nodes' certificates. */
export function checkNodeLife(life: Duration): Result<Duration, CausewayError> {
  if (life >= shortestLife && life <= longestLife) return ok(life);
  const message = `a certificate may live from ${formatDuration(shortestLife)} to ${formatDuration(longestLife)}; ${formatDuration(life)} is outside`;
  return fail(new CausewayError('invalid-argument', message, { field: 'certificate-life' }));
}

/** Whether the certificate was made without the store. */
export function isPassing({ notBefore, notAfter }: Pick<Certificate, 'notBefore' | 'notAfter'>): boolean {
  return notAfter - notBefore < shortestLife;
}

/**
 * When to renew a certificate, Unix ms: a passing one at once, others at a random 50 to 80 % of their life, so that hosts that joined together do not renew
 * together, and a fifth of its life is left for tries.
 */
export function renewalTime(
  { notBefore, notAfter }: Pick<Certificate, 'notBefore' | 'notAfter'>,
  random: Random,
): number {
  return isPassing({ notBefore, notAfter })
    ? notBefore
    : notBefore + (notAfter - notBefore) * (0.5 + 0.3 * random.float());
}

/**
 * Whether an operator's certificate is to be renewed. Nothing of an operator runs all the time, so it is renewed by the first
 * command in the second half of its life, or at once if it is a passing one.
 */
export function isHalfOver({ notBefore, notAfter }: Pick<Certificate, 'notBefore' | 'notAfter'>, now: number): boolean {
  return isPassing({ notBefore, notAfter }) || now >= (notBefore + notAfter) / 2;
}

/** Whether so much of a certificate's life is over that it should have been renewed. */
export function isLate({ notBefore, notAfter }: Pick<Certificate, 'notBefore' | 'notAfter'>, now: number): boolean {
  return now >= notBefore + (notAfter - notBefore) * 0.8;
}

/**
 * Compares this host's clock with a manager's, Unix ms: at join, and whenever a manager's time arrives. Without it a host
 * whose clock is ahead would notice only when certificates seem to have expired.
 */
export function checkClock(own: number, theirs: number): Result<void, CausewayError> {
  const off = own - theirs;
  if (Math.abs(off) <= clockTolerance) return ok(undefined);
  const message = `the clock of this host is ${roughly(Math.abs(off))} ${off > 0 ? 'ahead of' : 'behind'} the manager's (${formatTime(own)} here, ${formatTime(theirs)} there); set the clocks of all hosts by NTP`;
  return fail(new CausewayError('clock-wrong', message, { offsetSeconds: Math.round(off / 1_000) }));
}
