import type { Kernel } from '@causeway/datapath';
import type { Tally } from './tally.ts';

/** The same kernel, whose every step that succeeds is counted. */
export function countWrites(kernel: Kernel, tally: Tally): Kernel {
  return {
    read: (netns, scope) => kernel.read(netns, scope),
    watch: (netns, onDirt) => kernel.watch(netns, onDirt),
    ownNetns: () => kernel.ownNetns(),
    identify: (netns) => kernel.identify(netns),
    hasUniqueIdentities: () => kernel.hasUniqueIdentities(),
    underlay: (address) => kernel.underlay(address),
    routes: () => kernel.routes(),
    close: () => kernel.close(),
    apply: async (ops) => {
      const results = await kernel.apply(ops);
      tally.wrote(results.filter(({ ok }) => ok).length);
      return results;
    },
  };
}
