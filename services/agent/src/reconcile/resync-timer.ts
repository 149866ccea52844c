import type { Changes, Dirt, Kernel, NetnsPath, Watch } from '@causeway/datapath';
import { type Clock, type Duration, delays, Later, milliseconds, type Random, seconds } from '@causeway/runtime';
import { type Dirty, merged } from './dirty.ts';

/**
 * Debounce, between a change of the kernel and the pass that looks at it. Where the kernel names what changed it is the
 * least; else ten times what it takes to read everything, so that reads use less than a tenth of a core, and at most 400 ms,
 * so that a repair is done within 2 s: a change that comes during a pass waits for one debounce and two reads.
 */
const least = milliseconds(25);
const most = milliseconds(400);
const readsInDebounce = 10;
/** After the kernel has refused something: it may be the VNI of a namespace that takes a second to die. */
const retry = { first: milliseconds(100), max: seconds(10), factor: 2 };

/** Says when to look at the kernel again: soon after it has changed, and after it has refused something. */
export class ResyncTimer {
  readonly #kernel: Pick<Kernel, 'watch'>;
  readonly #random: Random;
  readonly #netns: NetnsPath | undefined;
  readonly #soon: Later;
  readonly #again: Later;
  #watch: Watch | undefined;
  #debounce: Duration = least;
  #dirty: Dirty = 'nothing';
  #retries: Generator<Duration, never>;

  constructor(
    modules: {
      readonly kernel: Pick<Kernel, 'watch'>;
      readonly clock: Clock;
      readonly random: Random;
      readonly resync: (dirty: Dirty) => void;
    },
    settings: { readonly netns: NetnsPath | undefined },
  ) {
    this.#kernel = modules.kernel;
    this.#random = modules.random;
    this.#netns = settings.netns;
    this.#soon = new Later({ clock: modules.clock, action: () => modules.resync(this.#take()) });
    this.#again = new Later({ clock: modules.clock, action: () => modules.resync('everything') });
    this.#retries = delays(retry, modules.random);
  }

  /** To be called before a read, so that no change falls between the read and the watch. */
  watch(): void {
    if (this.#netns === undefined) return;
    this.#watch ??= this.#kernel.watch(this.#netns, (dirt, changes) => this.#onChange(dirt, changes));
  }

  /** An open watch would keep its namespace alive. */
  unwatch(): void {
    this.#watch?.close();
    this.#watch = undefined;
  }

  /** To read everything, or a namespace whole, has taken so long, milliseconds. */
  wholeReadTook(took: number): void {
    this.#debounce = milliseconds(Math.min(Math.max(took * readsInDebounce, least), most));
  }

  failed(): void {
    this.#again.in(this.#retries.next().value);
  }

  succeeded(): void {
    this.#retries = delays(retry, this.#random);
  }

  stop(): void {
    this.#soon.stop();
    this.#again.stop();
    this.unwatch();
  }

  /** Our own changes of links, addresses and routes come back too: a pass that finds nothing to do ends it. */
  #onChange(dirt: Dirt, changes: Changes): void {
    if (dirt === 'gone') this.unwatch();
    this.#dirty = merged(this.#dirty, dirt === 'changed' ? changes : 'everything');
    this.#soon.in(this.#dirty === 'everything' || changes.more ? this.#debounce : least);
  }

  #take(): Dirty {
    const dirty = this.#dirty;
    this.#dirty = 'nothing';
    return dirty;
  }
}
