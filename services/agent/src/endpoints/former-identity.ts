import { hostEnd, isBareInode, type Kernel, overlayNetns } from '@causeway/datapath';
import type { Sandbox } from '../disk/sandbox.ts';
import type { Overlays } from '../reconcile/overlays.ts';

/**
 * Earlier agents recorded a container's namespace by its inode alone. That inode may belong to another container by now.
 * The pair of links that was made for the endpoint proves that the path still leads to the container: the kernel removes
 * the pair with either of its two namespaces. Returns the sandboxes that are proved, each with its identity in the
 * present format. The others stay as they are: no namespace has such an identity, so their containers are gone.
 */
export async function proveFormerIdentities(
  { kernel, overlays }: { readonly kernel: Kernel; readonly overlays: Overlays },
  sandboxes: Iterable<Sandbox>,
): Promise<Sandbox[]> {
  const proved: Sandbox[] = [];
  for (const sandbox of sandboxes) {
    if (!isBareInode(sandbox.identity)) continue;
    const before = await kernel.identify(sandbox.netns);
    if (before === undefined || overlays.at(before) !== undefined || !(await holdsItsPair(kernel, sandbox))) continue;
    if ((await kernel.identify(sandbox.netns)) === before) proved.push({ ...sandbox, identity: before });
  }
  return proved;
}

async function holdsItsPair(kernel: Kernel, { endpoint, netns, ifname }: Sandbox): Promise<boolean> {
  const outer = hostEnd(endpoint.id);
  const overlay = await kernel.read(overlayNetns(endpoint.network), { links: [outer], of: [], sysctls: [] });
  const container = await kernel.read(netns, { links: [ifname], of: [], sysctls: [] });
  const inner = container?.links.get(ifname);
  return overlay?.links.has(outer) === true && inner?.kind === 'veth' && inner.mac === endpoint.mac;
}
