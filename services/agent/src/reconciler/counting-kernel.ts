import type { Kernel } from '@causeway/datapath';
import type { Tally } from './tally.ts';

/** The same kernel, whose every step that succeeds is counted. */
export function countWrites(kernel: Kernel, tally: Tally): Kernel {
  return {
    read: (netns, scope, expected) => kernel.read(netns, scope, expected),
    watch: (netns, onDirt) => kernel.watch(netns, onDirt),
    ownNetns: () => kernel.ownNetns(),
    identify: (netns) => kernel.identify(netns),
    hasUniqueIdentities: () => kernel.hasUniqueIdentities(),
    underlay: (address) => kernel.underlay(address),
    routes: () => kernel.routes(),
    close: () => kernel.close(),
    apply: async (ops, expected) => {
      const results = await kernel.apply(ops, expected);
      tally.wrote(results.filter(({ ok }) => ok).length);
      return results;
    },
  };
}
