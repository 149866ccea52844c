import type { Kernel, NetnsIdentity, NetnsPath } from '@causeway/datapath';
import { CausewayError } from '@causeway/model';

/** Leads to the namespace this process lives in. */
const ownNamespace = '/proc/self/ns/net' as NetnsPath;

/** The container's namespace behind the path; throws "netns-invalid" when there is none that containers live in. */
export async function identifyContainer(kernel: Kernel, netns: NetnsPath): Promise<NetnsIdentity> {
  const identity = await kernel.identify(netns);
  if (identity === undefined) throw refuse(netns, 'is not a network namespace');
  if ((await kernel.ownNetns()).includes(netns)) throw refuse(netns, 'is an overlay namespace of Causeway itself');
  if (identity === (await kernel.identify(ownNamespace))) throw refuse(netns, "is the host's own network namespace");
  return identity;
}

export async function hasInterface(kernel: Kernel, netns: NetnsPath, ifname: string): Promise<boolean> {
  const namespace = await kernel.read(netns, { links: [ifname], bare: true, sysctls: [] });
  return namespace?.links.has(ifname) ?? false;
}

export function ifnameTaken(netns: NetnsPath, ifname: string, by = 'an interface'): CausewayError {
  const message = `${netns} already has ${by} called ${ifname}: give another ifname`;
  return new CausewayError('ifname-taken', message, { field: 'ifname', netns, ifname });
}

function refuse(netns: NetnsPath, why: string): CausewayError {
  const message = `netns ${netns} ${why}: give the path of a container's network namespace, such as /run/netns/web`;
  return new CausewayError('netns-invalid', message, { field: 'netns', netns });
}
