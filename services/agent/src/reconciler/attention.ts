import type { Dirt, Kernel, NetnsPath, Watch } from '@causeway/datapath';
import { type Clock, type Duration, delays, milliseconds, type Random, seconds } from '@causeway/runtime';
import { Later } from '../timing/later.ts';

/**
 * Between a change of the kernel and the look at it, so that a burst is one look: ten times what a look takes, which
 * keeps looking below a tenth of our time however large the network, within limits that keep every repair below 2 s.
 */
const quietest = milliseconds(25);
const longestQuiet = seconds(1);
const looksInQuiet = 10;
/** After the kernel has refused something: it may be the VNI of a namespace that takes a second to die. */
const retry = { first: milliseconds(100), max: seconds(10), factor: 2 };

/** Says when to look at a namespace: soon after it has changed, and again after the kernel has refused something. */
export class Attention {
  readonly #kernel: Kernel;
  readonly #random: Random;
  readonly #netns: NetnsPath;
  readonly #soon: Later;
  readonly #again: Later;
  #watch: Watch | undefined;
  #quiet: Duration = quietest;
  #retries: Generator<Duration, never>;

  constructor(
    modules: { readonly kernel: Kernel; readonly clock: Clock; readonly random: Random; readonly look: () => void },
    settings: { readonly netns: NetnsPath },
  ) {
    this.#kernel = modules.kernel;
    this.#random = modules.random;
    this.#netns = settings.netns;
    this.#soon = new Later({ clock: modules.clock, action: modules.look });
    this.#again = new Later({ clock: modules.clock, action: modules.look });
    this.#retries = delays(retry, modules.random);
  }

  /** To be called before a look, so that nothing happens between it and the watch. Without namespace there is none. */
  open(): void {
    this.#watch ??= this.#kernel.watch(this.#netns, (dirt) => this.#onDirt(dirt));
  }

  /** An open watch would keep its namespace alive. */
  close(): void {
    this.#watch?.close();
    this.#watch = undefined;
  }

  /** A look has taken so long. */
  looked(took: number): void {
    this.#quiet = milliseconds(Math.min(Math.max(took * looksInQuiet, quietest), longestQuiet));
  }

  refused(): void {
    this.#again.in(this.#retries.next().value);
  }

  obeyed(): void {
    this.#retries = delays(retry, this.#random);
  }

  stop(): void {
    this.#soon.stop();
    this.#again.stop();
    this.close();
  }

  /** Our own writes come back as changes too: a look that finds nothing to do writes nothing, and so ends it. */
  #onDirt(dirt: Dirt): void {
    if (dirt === 'gone') this.close();
    this.#soon.in(this.#quiet);
  }
}
