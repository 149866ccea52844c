import {
  applyPlan,
  bridgeName,
  hostNetns,
  isOverlayNetns,
  type Kernel,
  type Namespace,
  type NetnsPath,
  plan,
  teardown,
  vxlanName,
} from '@causeway/datapath';
import { encapPort } from '@causeway/model';
import type { Files } from '../disk/files.ts';
import { readIpsec } from '../encryption/ipsec.ts';
import { ipsecOf, noIpsec } from '../encryption/round.ts';

export interface ResetModules {
  readonly kernel: Kernel;
  /** Files of the data directory. */
  readonly files: Files;
  /** Prints one line for a person. */
  readonly tell: (line: string) => void;
}

/** Causeway's own files, by name. Other files in the directory stay. */
const ownFile = /^((identity|sandboxes|overlays|encryption)\.[ab]|network-[0-9a-f]{16})$/;

/**
 * Removes Causeway from a host whose agent does not run: overlay namespaces with everything in them, so that containers
 * lose their interfaces, and the agent's files, including its identity. Returns whether everything was removed. Does not
 * release the host's endpoints: the managers do that.
 */
export async function resetHost({ kernel, files, tell }: ResetModules): Promise<boolean> {
  let isClean = true;
  const own = await kernel.identify(hostNetns);
  for (const netns of (await kernel.ownNetns()).filter(isOverlayNetns)) {
    const found = await kernel.read(netns, { of: [], sysctls: [] });
    if (found === undefined) continue;
    // The name proves nothing: something else may be mounted at the path.
    const why =
      (await kernel.identify(netns)) === own || !isOverlay(found) ? 'it is not an overlay of Causeway' : undefined;
    const problem = why ?? (await remove(kernel, netns));
    if (problem === undefined) tell(`removed ${netns}${withContainers(found)}`);
    else tell(`left ${netns}: ${problem}`);
    isClean &&= problem === undefined;
  }
  // As long as a tunnel may be there, its packets need the blocks.
  if (isClean) isClean = await removeIpsec(kernel, tell);
  for (const name of await files.list()) {
    if (!ownFile.test(name)) continue;
    await files.remove(name);
    tell(`removed ${files.directory}/${name}`);
  }
  return isClean;
}

/** Returns whether no SA, no policy, no table of nftables and no holder of a port of ours is left. */
async function removeIpsec(kernel: Kernel, tell: ResetModules['tell']): Promise<boolean> {
  const found = await readIpsec(kernel);
  const ops = plan(ipsecOf(found), ipsecOf(noIpsec));
  if (ops.length === 0) return true;
  const [failure] = await applyPlan(kernel, ops);
  if (failure !== undefined) {
    tell(
      `left what protects encrypted networks: the kernel refuses ${failure.op.op}: ${failure.errno} ${failure.message}`,
    );
    return false;
  }
  tell(`removed ${found.xfrmStates.size} SAs and ${found.xfrmPolicies.size} policies of IPsec`);
  for (const port of found.portGuards.keys()) tell(`removed the nftables table inet causeway-${port}`);
  for (const address of found.encapSockets.keys())
    tell(`removed the process that holds UDP port ${encapPort} of ${address} for ESP`);
  return true;
}

/** An overlay that was being made or removed may have fewer links. */
function isOverlay({ links }: Namespace): boolean {
  const [bridge, vxlan] = [links.get(bridgeName), links.get(vxlanName)];
  return links.size === 0 || bridge?.kind === 'bridge' || vxlan?.kind === 'vxlan';
}

/** Returns why the namespace still exists; undefined: it is gone. */
async function remove(kernel: Kernel, netns: NetnsPath): Promise<string | undefined> {
  const [failure] = await teardown(kernel, netns);
  return failure && `the kernel refuses ${failure.op.op}: ${failure.errno} ${failure.message}`;
}

function withContainers({ links }: Namespace): string {
  const count = [...links.values()].filter(({ kind }) => kind === 'veth').length;
  return count === 0
    ? ''
    : ` with the ${count === 1 ? 'interface of 1 container' : `interfaces of ${count} containers`}`;
}
