import type { Kernel } from '@causeway/datapath';
import type { HostHealth } from '@causeway/proto/gen/causeway/v1/types.js';
import type { HostStats } from '../reconcile/host-stats.ts';

/** Measures how long the event loop was delayed. */
export interface LoopDelay {
  /** The longest recent delay, ms. */
  longest(): number;
}

/** For `status` and for the managers: figures that an operator looks at when a host is slow. */
export function healthOf(modules: {
  readonly kernel: Pick<Kernel, 'eventsLost'>;
  readonly stats: HostStats;
  readonly loopDelay: LoopDelay | undefined;
  /** Why the host cannot encrypt; empty: it can, or that is not known. */
  readonly cannotEncrypt: string;
  /** How often keys of other hosts were refused. */
  readonly refusedKeys: number;
  /** Why the host's private keys outlive a reboot; empty: they do not, or there are none. */
  readonly keysOnDisk: string;
}): HostHealth {
  const { kernel, stats, loopDelay, cannotEncrypt, refusedKeys, keysOnDisk } = modules;
  return {
    loopDelayMs: Math.round(loopDelay?.longest() ?? 0),
    eventsLost: BigInt(kernel.eventsLost()),
    announcementsSent: BigInt(stats.announcedCount),
    announcementsDropped: BigInt(stats.notAnnouncedCount),
    cannotEncrypt,
    refusedKeys: BigInt(refusedKeys),
    keysOnDisk,
    failedOps: Object.fromEntries(Array.from(stats.failedOps, ([errno, count]) => [errno, BigInt(count)])),
  };
}
