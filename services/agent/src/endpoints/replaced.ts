import { hostEnd, type Kernel, type NetnsIdentity, overlayNetns } from '@causeway/datapath';
import { type Clock, milliseconds } from '@causeway/runtime';
import type { Sandbox } from '../disk/sandbox.ts';

/** A namespace that died takes its links with it within a tenth of a second, under load within a second. */
const looks = 40;
const pause = milliseconds(50);

/**
 * Whether the container of a sandbox is dead, seen by one that is being attached under its name in the namespace `now`:
 * its own path leads to that one, or nowhere, and its pair of links is gone. Waits for the links, but not long: a namespace
 * whose path was removed lives on while a process is in it.
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
    const overlay = await kernel.read(overlayNetns(endpoint.network), { links: [end], bare: true, sysctls: [] });
    if (overlay?.links.has(end) !== true) return true;
    if (look === looks) return false;
    await clock.sleep(pause);
  }
}
