import type { Kernel } from '@causeway/datapath';
import { addressOf, contains, lengthOf, type Prefix } from '@causeway/model';
import type { Log } from '@causeway/runtime';

/** A manager accepts at most this many routes of a host. The largest prefixes say the most. */
const most = 256;

/**
 * The prefixes to which this host has routes. The agent reports them in every session, and the managers keep their
 * default pools off them.
 */
export class HostRoutes {
  readonly #kernel: Pick<Kernel, 'routes'>;
  readonly #log: Log;
  #prefixes: readonly Prefix[] = [];

  constructor(modules: { readonly kernel: Pick<Kernel, 'routes'>; readonly log: Log }) {
    this.#kernel = modules.kernel;
    this.#log = modules.log;
  }

  get prefixes(): readonly Prefix[] {
    return this.#prefixes;
  }

  /** Keeps the known prefixes when the kernel does not answer. */
  async refresh(): Promise<void> {
    try {
      this.#prefixes = outermost(await this.#kernel.routes()).slice(0, most);
    } catch (error) {
      this.#log.warn('host-routes.unknown', { message: String(error) });
    }
  }
}

/** Leaves out prefixes that lie in another prefix. The largest come first. */
export function outermost(prefixes: readonly Prefix[]): readonly Prefix[] {
  const largestFirst = [...prefixes].sort((a, b) => lengthOf(a) - lengthOf(b));
  const outer: Prefix[] = [];
  for (const prefix of largestFirst) if (!outer.some((one) => contains(one, addressOf(prefix)))) outer.push(prefix);
  return outer;
}
