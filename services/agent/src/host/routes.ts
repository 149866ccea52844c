import type { Kernel } from '@causeway/datapath';
import { addressOf, contains, lengthOf, type Prefix } from '@causeway/model';
import type { Log } from '@causeway/runtime';

/** A manager takes so many of a host; the largest prefixes say the most. */
const most = 256;

/** Where this host has routes to, told to the managers with every session: they keep their default pools off them. */
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

  /** Those known before stay when the kernel does not tell. */
  async refresh(): Promise<void> {
    try {
      this.#prefixes = outermost(await this.#kernel.routes()).slice(0, most);
    } catch (error) {
      this.#log.warn('host-routes.unknown', { message: String(error) });
    }
  }
}

/** Without those that lie in another, the largest first. */
export function outermost(prefixes: readonly Prefix[]): readonly Prefix[] {
  const largestFirst = [...prefixes].sort((a, b) => lengthOf(a) - lengthOf(b));
  const outer: Prefix[] = [];
  for (const prefix of largestFirst) if (!outer.some((one) => contains(one, addressOf(prefix)))) outer.push(prefix);
  return outer;
}
