import {
  bridgeName,
  home,
  isOverlayNetns,
  type Kernel,
  type Namespace,
  type NetnsPath,
  teardown,
  vxlanName,
} from '@causeway/datapath';
import type { Files } from '../disk/files.ts';

export interface ResetModules {
  readonly kernel: Kernel;
  /** Of the data directory. */
  readonly files: Files;
  /** One line for a person. */
  readonly tell: (line: string) => void;
}

/** Ours by name; what else is in the directory stays. */
const ownFile = /^((identity|sandboxes|overlays)\.[ab]|network-[0-9a-f]{16})$/;

/**
 * Takes Causeway off a host whose agent does not run: overlay namespaces with all that is in them, so that containers lose their
 * interfaces, and what the agent has on disk, its identity too. Whether all of it is gone. What the managers hold of the
 * host is theirs to release.
 */
export async function resetHost({ kernel, files, tell }: ResetModules): Promise<boolean> {
  let isClean = true;
  const own = await kernel.identify(home);
  for (const netns of (await kernel.ownNetns()).filter(isOverlayNetns)) {
    const found = await kernel.read(netns, { bare: true, sysctls: [] });
    if (found === undefined) continue;
    // A name proves nothing: something else may be mounted there.
    const why =
      (await kernel.identify(netns)) === own || !isOverlay(found) ? 'it is no overlay of Causeway' : undefined;
    const problem = why ?? (await remove(kernel, netns));
    if (problem === undefined) tell(`removed ${netns}${withContainers(found)}`);
    else tell(`left ${netns}: ${problem}`);
    isClean &&= problem === undefined;
  }
  for (const name of await files.list()) {
    if (!ownFile.test(name)) continue;
    await files.remove(name);
    tell(`removed ${files.directory}/${name}`);
  }
  return isClean;
}

/** One that was being made or taken apart may hold less. */
function isOverlay({ links }: Namespace): boolean {
  const [bridge, vxlan] = [links.get(bridgeName), links.get(vxlanName)];
  return links.size === 0 || bridge?.kind === 'bridge' || vxlan?.kind === 'vxlan';
}

/** Why it is still there; undefined: it is gone. */
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
