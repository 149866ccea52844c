import type { Random } from '@causeway/runtime';
import { FakeClock, SeededRandom } from '@causeway/runtime/testing';
import type { AgentModules } from '../start.ts';
import { FakeManager } from './fake-manager.ts';
import { Host } from './host.ts';

/** Maximum number of turns that an answer of the world takes longer than usual. */
const mostTurns = 40;
/** Calls of which the agent awaits the answer. */
const awaited = new Set<PropertyKey>([
  ...['read', 'apply', 'announce', 'ownNetns', 'identify', 'routes', 'underlay'],
  ...['open', 'list', 'write', 'overwrite', 'flush', 'remove'],
  ...['reaches', 'claimEndpoint', 'claimEndpoints', 'releaseEndpoint', 'detachEndpoint'],
]);

/**
 * A host whose kernel, disk and managers answer after a random number of turns of the microtask queue, and whose own work
 * takes time, so that long work pauses at random places. All of it follows from the seed. What an agent decides must not
 * depend on the seed.
 */
export class JitteryHost extends Host {
  readonly #jitter: Jitter;

  constructor(seed: number) {
    const jitter = new Jitter(new SeededRandom(seed));
    super({}, new FakeManager(), ['10.0.0.1:7443'], new JitteryClock(jitter));
    this.#jitter = jitter;
  }

  /** Lets a random number of turns pass. */
  pause(): Promise<void> {
    return this.#jitter.wait();
  }

  protected override seams(): AgentModules {
    const { kernel, link, files, ...others } = super.seams();
    const slow = <Seam extends object>(seam: Seam): Seam => slowed(seam, this.#jitter);
    return { ...others, kernel: slow(kernel), link: slow(link), files: slow(files) };
  }
}

class Jitter {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  below(limit: number): number {
    return Math.floor(this.#random.float() * limit);
  }

  /** Half of all answers come at once, so that each kind of work sometimes overtakes each other kind. */
  async wait(): Promise<void> {
    const turns = this.below(2) === 0 ? 0 : this.below(mostTurns);
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
  }
}

class JitteryClock extends FakeClock {
  readonly #jitter: Jitter;
  /** Time that work has taken, ms. */
  #worked = 0;

  constructor(jitter: Jitter) {
    super();
    this.#jitter = jitter;
  }

  override now(): number {
    this.#worked += this.#jitter.below(8) === 0 ? 1 : 0;
    return super.now() + this.#worked;
  }

  override yield(): Promise<void> {
    return this.#jitter.wait();
  }
}

function slowed<Seam extends object>(seam: Seam, jitter: Jitter): Seam {
  return new Proxy(seam, {
    get: (_, key) => {
      const value: unknown = Reflect.get(seam, key, seam);
      if (typeof value !== 'function') return value;
      const call = value.bind(seam) as (...args: unknown[]) => unknown;
      if (!awaited.has(key)) return call;
      return async (...args: unknown[]): Promise<unknown> => {
        await jitter.wait();
        const answer = await call(...args);
        await jitter.wait();
        return answer;
      };
    },
  });
}
