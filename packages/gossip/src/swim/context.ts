import type { Random } from '../random.ts';
import type { Layers } from '../wire/datagram.ts';
import type { Refusal } from '../wire/refusal.ts';
import type { VersionRange } from '../wire/vsn.ts';
import type { Delegate } from './delegate.ts';
import type { Effect, MemberlistEvent } from './effect.ts';
import type { Address } from './member.ts';
import type { Profile } from './profile.ts';
import { type Timer, Timers } from './timers.ts';

export interface Settings {
  readonly name: string;
  /** Where other nodes reach this node. */
  readonly address: Address;
  readonly meta: Uint8Array;
  /** Versions of the application's protocol; nodes whose ranges do not meet refuse each other. */
  readonly delegateVersions: VersionRange;
  readonly layers: Layers;
  readonly profile: Profile;
}

/** What the parts of the core share: the time of this step, its effects, and what waits for later steps. */
export class Context {
  readonly settings: Settings;
  readonly random: Random;
  readonly delegate: Delegate;
  readonly timers = new Timers();
  /** How often input was refused, by reason. */
  readonly refusals = new Map<Refusal, number>();
  now = 0;
  #effects: Effect[] = [];
  #sequence = 0;

  constructor(settings: Settings, random: Random, delegate: Delegate) {
    this.settings = settings;
    this.random = random;
    this.delegate = delegate;
  }

  after(span: number, fire: () => void): Timer {
    return this.timers.at(this.now + span, fire);
  }

  emit(effect: Effect): void {
    this.#effects.push(effect);
  }

  event(event: MemberlistEvent): void {
    this.emit({ type: 'event', event });
  }

  refuse(why: Refusal): void {
    this.refusals.set(why, (this.refusals.get(why) ?? 0) + 1);
  }

  /** The effects of this step. */
  takeEffects(): readonly Effect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  /** Numbers a ping. */
  nextSequence(): number {
    this.#sequence = (this.#sequence + 1) >>> 0;
    return this.#sequence;
  }
}
