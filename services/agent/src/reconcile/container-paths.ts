import { type Expected, isOverlayNetns, type Kernel, type NetnsIdentity, type NetnsPath } from '@causeway/datapath';
import type { Sandbox } from '../disk/sandbox.ts';
import type { Overlays } from './overlays.ts';

/** What identifies a container. */
type Whose = Pick<Sandbox, 'identity' | 'netns'>;

/**
 * Where the containers of a network are. Each container has one path here, whatever paths its interfaces were attached
 * by, so that everything desired in one namespace is in one place.
 */
export class ContainerPaths {
  readonly #paths: Map<NetnsIdentity, NetnsPath>;
  /** By path: the container that was last found there. */
  readonly #at: Map<NetnsPath, NetnsIdentity>;
  /** The last call of `locate`: while only peers change, each pass asks for the same sandboxes. */
  #last: { readonly asked: readonly Whose[]; readonly located: readonly Whose[] } | undefined;

  constructor(paths: ReadonlyMap<NetnsIdentity, NetnsPath | undefined> = new Map()) {
    this.#paths = new Map();
    this.#at = new Map();
    for (const [identity, path] of paths) {
      this.#paths.set(identity, path ?? nowhere('' as NetnsPath));
      if (path !== undefined) this.#at.set(path, identity);
    }
  }

  /** No known path leads to the container. */
  isGone({ identity }: Whose): boolean {
    const path = this.#paths.get(identity);
    return path !== undefined && this.#at.get(path) !== identity;
  }

  /**
   * The same sandboxes, each with the one path of its container. A container that was not located yet is assumed to be
   * where it was attached. The result is the same list for the same list.
   */
  locate<Of extends Whose>(sandboxes: readonly Of[]): readonly Of[] {
    if (this.#last?.asked === sandboxes) return this.#last.located as readonly Of[];
    for (const { identity, netns } of sandboxes) {
      if (this.#paths.has(identity) || isOverlayNetns(netns)) continue;
      this.#paths.set(identity, netns);
      // The container that was at the path before is no longer there.
      this.#at.set(netns, identity);
    }
    const located = sandboxes.map((sandbox) => this.placed(sandbox));
    this.#last = { asked: sandboxes, located };
    return located;
  }

  /**
   * For a sandbox of the past. `locate` of a sandbox that no longer exists would take the path away from the container
   * that is there now.
   */
  placed<Of extends Whose>(sandbox: Of): Of {
    const isGone = this.isGone(sandbox) || isOverlayNetns(sandbox.netns);
    const netns = isGone ? nowhere(sandbox.netns) : (this.#paths.get(sandbox.identity) ?? sandbox.netns);
    return netns === sandbox.netns ? sandbox : { ...sandbox, netns };
  }

  /** The container that each path must lead to while the agent reads or changes anything there. */
  get expected(): Expected {
    return this.#at;
  }
}

/** The kernel, limited to these containers: another namespace at a container's path counts as absent. */
export function within(kernel: Kernel, paths: () => ContainerPaths): Pick<Kernel, 'read' | 'apply'> {
  return {
    read: (netns, scope) => kernel.read(netns, scope, paths().expected),
    apply: (ops) => kernel.apply(ops, paths().expected),
  };
}

/** A placeholder path for a container that no path leads to. It never exists, and is readable for people. */
function nowhere(netns: NetnsPath): NetnsPath {
  return `${netns} (gone)` as NetnsPath;
}

/**
 * Locates the containers of the sandboxes. `inContainer`: the sandboxes of a container on all networks, whose paths are
 * tried too: a container on two networks exists as long as one of its paths leads to it. A container whose identity is an
 * overlay's is gone.
 */
export async function findContainerPaths(
  { kernel, overlays }: { readonly kernel: Kernel; readonly overlays: Overlays },
  sandboxes: readonly Sandbox[],
  inContainer: (identity: NetnsIdentity) => readonly Sandbox[],
): Promise<ContainerPaths> {
  const paths = new Map<NetnsIdentity, NetnsPath | undefined>();
  for (const identity of new Set(sandboxes.map((sandbox) => sandbox.identity))) {
    const isOverlay = overlays.at(identity) !== undefined;
    const candidates = new Set(inContainer(identity).map(({ netns }) => netns));
    paths.set(identity, isOverlay ? undefined : await firstThatLeads(kernel, candidates, identity));
  }
  return new ContainerPaths(paths);
}

async function firstThatLeads(
  kernel: Kernel,
  paths: Iterable<NetnsPath>,
  identity: NetnsIdentity,
): Promise<NetnsPath | undefined> {
  for (const path of paths) if (!isOverlayNetns(path) && (await kernel.identify(path)) === identity) return path;
  return undefined;
}
