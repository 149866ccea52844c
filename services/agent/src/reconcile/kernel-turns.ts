import type { Kernel } from '@causeway/datapath';
import { type Clock, Slices } from '@causeway/runtime';

/** Maximum number of reads and writes of the kernel at the same time. */
export const kernelCallsAtOnce = 4;

/**
 * The same kernel with a limited number of calls at a time. The kernel answers inside send(2), and all callers wait there
 * while it removes links. Calls for hundreds of networks that began in one turn of the event loop delayed the heartbeats
 * until the session was lost. So the event loop runs between calls. Writes go first, because an attach waits for them.
 */
export function inTurns(kernel: Kernel, modules: { readonly clock: Clock }): Kernel {
  const turns = new Turns(modules);
  return {
    read: (netns, scope, expected) => turns.run('read', () => kernel.read(netns, scope, expected)),
    apply: (ops, expected) => turns.run('write', () => kernel.apply(ops, expected)),
    watch: (netns, onEvent) => kernel.watch(netns, onEvent),
    watchContainer: (...watched) => kernel.watchContainer(...watched),
    // With the reads: an attach does not wait for announcements.
    announce: (netns, dev, announcements) => turns.run('read', () => kernel.announce(netns, dev, announcements)),
    ownNetns: () => kernel.ownNetns(),
    identify: (netns) => kernel.identify(netns),
    eventsLost: () => kernel.eventsLost(),
    hasUniqueIdentities: () => kernel.hasUniqueIdentities(),
    underlay: (address) => kernel.underlay(address),
    routes: () => kernel.routes(),
    close: () => kernel.close(),
  };
}

type Begin = () => void;

class Turns {
  readonly #slices: Slices;
  readonly #waiting: { readonly read: Begin[]; readonly write: Begin[] } = { read: [], write: [] };
  #running = 0;

  constructor(modules: { readonly clock: Clock }) {
    this.#slices = new Slices(modules);
  }

  async run<Result>(kind: 'read' | 'write', call: () => Promise<Result>): Promise<Result> {
    if (this.#running < kernelCallsAtOnce) this.#running++;
    else await new Promise<void>((begin) => this.#waiting[kind].push(begin));
    try {
      await this.#slices.maybeYield();
      return await call();
    } finally {
      const next = this.#waiting.write.shift() ?? this.#waiting.read.shift();
      // The next call takes over the place of this call.
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
