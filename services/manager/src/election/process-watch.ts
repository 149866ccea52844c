import { type Clock, type Duration, milliseconds, seconds } from '@causeway/runtime';
import type { LeaderRecord } from '../store/view.ts';
import type { Contact, Dialer } from './dialer.ts';

/** What a manager knows about the process of a leader. */
export interface Sighting {
  /** A process at the leader's address has said that it leads. If none has, the address itself may be wrong. */
  readonly hasLed: boolean;
  /** How often in a row the host has refused a connection since then. */
  readonly refusals: number;
}

export const unseen: Sighting = { hasLed: false, refusals: 0 };

export type NextTry =
  /** Keep the connection until it ends. */
  | { readonly kind: 'hold'; readonly ended: Promise<void> }
  | { readonly kind: 'dial'; readonly after: Duration }
  | { readonly kind: 'gone' };

/** Refusals in a row that mean that the process is gone. One alone may come from a firewall or a port that is changing. */
const enoughRefusals = 2;
/** Pause between these tries. It adds to the time in which the cluster has no leader. */
const secondTry = milliseconds(50);
/** Pause before the next question when the process does not say yet that it leads: it may have been elected just now. */
const newlyElected = milliseconds(200);
/** Pause before the next try while the process cannot be judged. */
const unhurried = seconds(1);
/** After a connection that ended sooner than this, there is a pause before the next one. */
const shortLived = seconds(1);

/**
 * The rule: first a process at the address must have said that it leads. That process is gone when then the host refuses
 * twice in a row, or the process that answers says that it does not lead (it was restarted). No answer proves nothing,
 * since the path may be cut.
 */
export function judge(sighting: Sighting, contact: Contact): { readonly sighting: Sighting; readonly next: NextTry } {
  const { hasLed, refusals } = sighting;
  switch (contact.kind) {
    case 'connected':
      if (contact.leads)
        return { sighting: { hasLed: true, refusals: 0 }, next: { kind: 'hold', ended: contact.ended } };
      return { sighting, next: hasLed ? { kind: 'gone' } : { kind: 'dial', after: newlyElected } };
    case 'refused':
      if (!hasLed) return { sighting, next: { kind: 'dial', after: unhurried } };
      return refusals + 1 >= enoughRefusals
        ? { sighting, next: { kind: 'gone' } }
        : { sighting: { hasLed, refusals: refusals + 1 }, next: { kind: 'dial', after: secondTry } };
    case 'unclear':
      return { sighting: { hasLed, refusals: 0 }, next: { kind: 'dial', after: unhurried } };
  }
}

export interface ProcessWatchParts {
  readonly dialer: Dialer;
  readonly clock: Clock;
}

/** Keeps a connection to the process of a leader. True when that process is gone, false when the signal aborted first. */
export async function isProcessGone(
  { dialer, clock }: ProcessWatchParts,
  { address }: Pick<LeaderRecord, 'address'>,
  signal: AbortSignal,
): Promise<boolean> {
  let sighting = unseen;
  while (!signal.aborted) {
    const over = new AbortController();
    const contact = await dialer.dial(address, AbortSignal.any([signal, over.signal]));
    if (signal.aborted) break;
    const judged = judge(sighting, contact);
    sighting = judged.sighting;
    const { next } = judged;
    if (next.kind === 'hold') {
      const since = clock.now();
      await next.ended;
      if (clock.now() - since < shortLived) await clock.sleep(secondTry, signal);
      continue;
    }
    over.abort();
    if (next.kind === 'gone') return true;
    await clock.sleep(next.after, signal);
  }
  return false;
}
