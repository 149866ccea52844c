import type { Random } from '../random.ts';
import type { Settings } from '../swim/context.ts';
import type { Input } from '../swim/effect.ts';
import { type Timer, Timers } from '../swim/timers.ts';
import type { Refusal } from '../wire/refusal.ts';
import type { SerfEffect, SerfEvent } from './effect.ts';
import { LamportClock } from './lamport.ts';
import type { SerfProfile } from './profile.ts';
import type { Restored } from './snapshot.ts';
import type { Tags } from './tags.ts';

export interface SerfSettings extends Omit<Settings, 'meta' | 'delegateVersions'> {
  readonly tags: Tags;
  readonly serf: SerfProfile;
  /** What the snapshot says; undefined: this node keeps none. */
  readonly restored: Restored | undefined;
}

/** What the parts of the serf layer share: the time of this step, its effects, and what waits for later steps. */
export class SerfContext {
  readonly settings: SerfSettings;
  readonly random: Random;
  readonly timers = new Timers();
  readonly clocks = { status: new LamportClock(), event: new LamportClock(), query: new LamportClock() };
  /** How often messages of serf were refused, by reason. */
  readonly refusals = new Map<Refusal, number>();
  tags: Tags;
  isLeaving = false;
  now: number;
  readonly #commands = new Map<number, (error: string | undefined) => void>();
  #effects: SerfEffect[] = [];
  #inputs: Input[] = [];
  #lastCommand = 0;

  constructor(settings: SerfSettings, random: Random, now: number) {
    this.settings = settings;
    this.random = random;
    this.tags = settings.tags;
    this.now = now;
  }

  get name(): string {
    return this.settings.name;
  }

  after(span: number, fire: () => void): Timer {
    return this.timers.at(this.now + span, fire);
  }

  emit(effect: SerfEffect): void {
    this.#effects.push(effect);
  }

  event(event: SerfEvent): void {
    this.emit({ type: 'event', event });
  }

  settle(command: number, error?: string): void {
    this.emit({ type: 'settled', command, error });
  }

  refuse(why: Refusal): void {
    this.refusals.set(why, (this.refusals.get(why) ?? 0) + 1);
  }

  /** Gives memberlist an input, after what memberlist does now. */
  give(input: Input): void {
    this.#inputs.push(input);
  }

  /** Gives memberlist a command, and calls `done` when it is settled. */
  run(input: (command: number) => Input, done: (error: string | undefined) => void): void {
    const command = ++this.#lastCommand;
    this.#commands.set(command, done);
    this.give(input(command));
  }

  /** memberlist is done with a command. */
  settled(command: number, error: string | undefined): void {
    const done = this.#commands.get(command);
    this.#commands.delete(command);
    done?.(error);
  }

  nextInput(): Input | undefined {
    return this.#inputs.shift();
  }

  /** The effects of this step. */
  takeEffects(): readonly SerfEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}
