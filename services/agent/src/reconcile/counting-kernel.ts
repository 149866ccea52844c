import type { Kernel } from '@causeway/datapath';
import type { HostStats } from './host-stats.ts';

/** The same kernel, with all its steps counted: steps that succeed, and failed steps by the kernel's error. */
export function countWrites(kernel: Kernel, stats: HostStats): Kernel {
  return {
    read: (netns, scope, expected) => kernel.read(netns, scope, expected),
    watch: (netns, onEvent) => kernel.watch(netns, onEvent),
    watchContainer: (...watched) => kernel.watchContainer(...watched),
    announce: (netns, dev, announcements) => kernel.announce(netns, dev, announcements),
    ownNetns: () => kernel.ownNetns(),
    identify: (netns) => kernel.identify(netns),
    eventsLost: () => kernel.eventsLost(),
    hasUniqueIdentities: () => kernel.hasUniqueIdentities(),
    underlay: (address) => kernel.underlay(address),
    routes: () => kernel.routes(),
    close: () => kernel.close(),
    apply: async (ops, expected) => {
      const results = await kernel.apply(ops, expected);
      let written = 0;
      for (const result of results) {
        if (result.ok) written++;
        else stats.failed(result.errno);
      }
      stats.wrote(written);
      return results;
    },
  };
}
