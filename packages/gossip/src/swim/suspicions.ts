import type { Context } from './context.ts';
import { isGone, type Member } from './member.ts';
import { lan } from './profile.ts';
import { quorumOf, Suspicion, type SuspicionTerms, suspicionTerms } from './suspicion.ts';

/** A node that came back so often within `flapWindow` is judged as slowly as memberlist does, for `flapPenalty`. */
const flaps = 2;
const flapWindow = 60_000;
const flapPenalty = 300_000;

/** The suspicions that run, each with its timer. */
export class Suspicions {
  readonly #context: Context;
  readonly #all: () => readonly Member[];
  readonly #expired: (member: Member) => void;

  constructor(context: Context, all: () => readonly Member[], expired: (member: Member) => void) {
    this.#context = context;
    this.#all = all;
    this.#expired = expired;
  }

  start(member: Member, accuser: string): void {
    this.#arm(member, new Suspicion(this.#terms(member), accuser, this.#context.now));
  }

  /** False: the accuser adds nothing new. */
  confirm(member: Member, accuser: string): boolean {
    const of = member.suspicion?.of;
    if (of === undefined || !of.confirm(accuser)) return false;
    this.#arm(member, of);
    return true;
  }

  refusedTwice(member: Member): void {
    const of = member.suspicion?.of;
    if (of === undefined) return;
    of.isRefused = true;
    this.#arm(member, of);
  }

  end(member: Member): void {
    if (member.suspicion !== undefined) member.suspicion.timer.isCancelled = true;
    member.suspicion = undefined;
  }

  /** This process did not run for so long: refutations may wait in its sockets. */
  postpone(span: number): void {
    for (const member of this.#all()) {
      const of = member.suspicion?.of;
      if (of === undefined) continue;
      of.postpone(span);
      this.#arm(member, of);
    }
  }

  /** dead -> alive */
  revived(member: Member): void {
    const { now } = this.#context;
    member.revivals = [...member.revivals.filter((at) => now - at <= flapWindow), now];
    if (member.revivals.length >= flaps) member.slowUntil = now + flapPenalty;
  }

  #arm(member: Member, of: Suspicion): void {
    this.end(member);
    member.suspicion = { of, timer: this.#context.timers.at(of.deadline, () => this.#expired(member)) };
  }

  #terms(member: Member): SuspicionTerms {
    const { profile } = this.#context.settings;
    const all = this.#all();
    const { observers, hold, refusedHold } = profile;
    if (observers === 0) return suspicionTerms(profile, all.length);
    // Nodes of memberlist expect its times, and do not look for themselves when they hear of a suspicion.
    if (!member.isKin || this.#context.now < member.slowUntil) {
      return suspicionTerms(
        { ...profile, probeInterval: Math.max(profile.probeInterval, lan.probeInterval) },
        all.length,
      );
    }
    const others = all.filter((each) => each !== member && !isGone(each)).length;
    const accusers = quorumOf(Math.min(observers, others));
    return { ...suspicionTerms(profile, all.length), quorum: { accusers, hold, refusedHold } };
  }
}
