import type { Changes, Dirt, Kernel, NetnsPath, Watch } from '@causeway/datapath';
import { type Clock, type Duration, delays, Later, milliseconds, type Random, seconds } from '@causeway/runtime';
import { both, type Suspicion } from './suspicion.ts';

/**
 * Between a change of the kernel and the look at it, so that a burst is one look: the least where what changed is named,
 * else ten times what a look at all takes, which keeps looking below a tenth of our time, up to networks so large that
 * every repair would not be done within 2 s: a change that comes with a look is seen by the next one, after the pause and
 * two looks.
 */
const quietest = milliseconds(25);
const longestQuiet = milliseconds(400);
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
  #suspicion: Suspicion = 'nothing';
  #retries: Generator<Duration, never>;

  constructor(
    modules: {
      readonly kernel: Kernel;
      readonly clock: Clock;
      readonly random: Random;
      readonly look: (suspicion: Suspicion) => void;
    },
    settings: { readonly netns: NetnsPath },
  ) {
    this.#kernel = modules.kernel;
    this.#random = modules.random;
    this.#netns = settings.netns;
    this.#soon = new Later({ clock: modules.clock, action: () => modules.look(this.#takeSuspicion()) });
    this.#again = new Later({ clock: modules.clock, action: () => modules.look('everything') });
    this.#retries = delays(retry, modules.random);
  }

  /** To be called before a look, so that nothing happens between it and the watch. Without namespace there is none. */
  open(): void {
    this.#watch ??= this.#kernel.watch(this.#netns, (dirt, changes) => this.#onDirt(dirt, changes));
  }

  /** An open watch would keep its namespace alive. */
  close(): void {
    this.#watch?.close();
    this.#watch = undefined;
  }

  /** A look at all has taken so long. */
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

  /** Our own changes of links, addresses and routes come back too: a look that finds nothing to do writes nothing and ends it. */
  #onDirt(dirt: Dirt, changes: Changes): void {
    if (dirt === 'gone') this.close();
    this.#suspicion = both(this.#suspicion, dirt === 'changed' ? changes : 'everything');
    this.#soon.in(this.#suspicion === 'everything' || changes.more ? this.#quiet : quietest);
  }

  #takeSuspicion(): Suspicion {
    const suspicion = this.#suspicion;
    this.#suspicion = 'nothing';
    return suspicion;
  }
}
