import { hostEnd, type Kernel, type NetnsIdentity, overlayNetns } from '@causeway/datapath';
import { type Clock, milliseconds } from '@causeway/runtime';
import type { Sandbox } from '../disk/sandbox.ts';

/** A namespace that died removes its links within a tenth of a second, or within a second under load. */
const looks = 40;
const pause = milliseconds(50);

/**
 * Whether the container of a sandbox is dead. The agent asks this when a container with the same endpoint name is being
 * attached in the namespace `now`. The sandbox's container is dead when its path leads to `now`, or when its path no
 * longer leads to it and its pair of links is gone. The wait for the links is short: a namespace whose path was removed
 * lives on while a process is in it.
 */
export async function isReplaced(
  { kernel, clock }: { readonly kernel: Kernel; readonly clock: Clock },
  { netns, identity, endpoint }: Sandbox,
  now: NetnsIdentity,
): Promise<boolean> {
  const found = await kernel.identify(netns);
  if (found === identity) return false;
  if (found === now) return true;
  for (let look = 1; ; look++) {
    const end = hostEnd(endpoint.id);
    const overlay = await kernel.read(overlayNetns(endpoint.network), { links: [end], of: [], sysctls: [] });
    if (overlay?.links.has(end) !== true) return true;
    if (look === looks) return false;
    await clock.sleep(pause);
  }
}
