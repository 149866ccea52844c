import type { Changes, Kernel, NetnsPath, Watch, WatchEvent } from '@causeway/datapath';
import {
  type Clock,
  DelayedAction,
  type Duration,
  delays,
  milliseconds,
  type Random,
  seconds,
} from '@causeway/runtime';
import { type Dirty, merged } from './dirty.ts';

/**
 * Debounce between a change of the kernel and the pass that follows, ms. It is `least` when the kernel names what
 * changed. Otherwise it is ten times as long as a read of everything, so that reads use less than a tenth of a core. It
 * is at most 400 ms, so that a repair is done within 2 s: a change during a pass waits for one debounce and two reads.
 */
const least = milliseconds(25);
const most = milliseconds(400);
const readsInDebounce = 10;
/**
 * Pause after the kernel has refused a step. The reason may be the VNI of a namespace that takes a second to be
 * destroyed.
 */
const retry = { first: milliseconds(100), max: seconds(10), factor: 2 };

/** Decides when the kernel is read again: soon after a change of the kernel, and after the kernel has refused a step. */
export class RereadTimer {
  readonly #kernel: Pick<Kernel, 'watch'>;
  readonly #random: Random;
  readonly #netns: NetnsPath | undefined;
  readonly #soon: DelayedAction;
  readonly #retry: DelayedAction;
  #watch: Watch | undefined;
  #debounce: Duration = least;
  #dirty: Dirty = 'nothing';
  #retries: Generator<Duration, never>;

  constructor(
    modules: {
      readonly kernel: Pick<Kernel, 'watch'>;
      readonly clock: Clock;
      readonly random: Random;
      readonly reread: (dirty: Dirty) => void;
    },
    settings: { readonly netns: NetnsPath | undefined },
  ) {
    this.#kernel = modules.kernel;
    this.#random = modules.random;
    this.#netns = settings.netns;
    this.#soon = new DelayedAction({ clock: modules.clock, action: () => modules.reread(this.#take()) });
    this.#retry = new DelayedAction({ clock: modules.clock, action: () => modules.reread('everything') });
    this.#retries = delays(retry, modules.random);
  }

  /** To be called before a read, so that no change is missed between the read and the watch. */
  watch(): void {
    if (this.#netns === undefined) return;
    this.#watch ??= this.#kernel.watch(this.#netns, (event, changes) => this.changed(event, changes));
  }

  /** An open watch would keep its namespace alive. */
  unwatch(): void {
    this.#watch?.close();
    this.#watch = undefined;
  }

  /** A read of everything, or of a whole namespace, has taken this long, ms. */
  wholeReadTook(took: number): void {
    this.#debounce = milliseconds(Math.min(Math.max(took * readsInDebounce, least), most));
  }

  failed(): void {
    this.#retry.in(this.#retries.next().value);
  }

  succeeded(): void {
    this.#retries = delays(retry, this.#random);
  }

  stop(): void {
    this.#soon.stop();
    this.#retry.stop();
    this.unwatch();
  }

  /**
   * To be called after the kernel has notified the agent of changes. The kernel also notifies the agent of the agent's own changes
   * of links, addresses and routes; the pass that follows finds no difference.
   */
  changed(event: WatchEvent, changes: Changes): void {
    if (event === 'gone') this.unwatch();
    this.#dirty = merged(this.#dirty, event === 'changed' ? changes : 'everything');
    this.#soon.in(this.#dirty === 'everything' || changes.more ? this.#debounce : least);
  }

  #take(): Dirty {
    const dirty = this.#dirty;
    this.#dirty = 'nothing';
    return dirty;
  }
}
