import { type Expected, isOverlayNetns, type Kernel, type NetnsIdentity, type NetnsPath } from '@causeway/datapath';
import type { Sandbox } from '../disk/sandbox.ts';
import type { Overlays } from './overlays.ts';

/** Of a container. */
type Whose = Pick<Sandbox, 'identity' | 'netns'>;

/**
 * Where the containers of a network are: each by one path, whatever aliases its interfaces were attached by, so that what
 * is wanted in one namespace is wanted in one place.
 */
export class Places {
  readonly #paths: Map<NetnsIdentity, NetnsPath>;
  /** The other way round: who was last found at the path. */
  readonly #at: Map<NetnsPath, NetnsIdentity>;

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

  /** The same sandboxes, each at the one path of its container; one not looked for yet is where it was attached. */
  locate<Of extends Whose>(sandboxes: readonly Of[]): Of[] {
    for (const { identity, netns } of sandboxes) {
      if (this.#paths.has(identity) || isOverlayNetns(netns)) continue;
      this.#paths.set(identity, netns);
      // What was at the path before is there no more.
      this.#at.set(netns, identity);
    }
    return sandboxes.map((sandbox) => this.placed(sandbox));
  }

  /** A sandbox of before: `locate` of one that is no more would take its path from the container that is there now. */
  placed<Of extends Whose>(sandbox: Of): Of {
    const isGone = this.isGone(sandbox) || isOverlayNetns(sandbox.netns);
    const netns = isGone ? nowhere(sandbox.netns) : (this.#paths.get(sandbox.identity) ?? sandbox.netns);
    return netns === sandbox.netns ? sandbox : { ...sandbox, netns };
  }

  /** What each path must lead to while anything is read or changed there. */
  get expected(): Expected {
    return this.#at;
  }
}

/** The kernel as far as these containers are concerned: another namespace at the path of one is as if it were not there. */
export function within(kernel: Kernel, places: () => Places): Pick<Kernel, 'read' | 'apply'> {
  return {
    read: (netns, scope) => kernel.read(netns, scope, places().expected),
    apply: (ops) => kernel.apply(ops, places().expected),
  };
}

/** What is left of a container that no path leads to: a place that is never there, named for people. */
function nowhere(netns: NetnsPath): NetnsPath {
  return `${netns} (gone)` as NetnsPath;
}

/**
 * Looks where the containers of the sandboxes are. `all`: of this host, whose paths are tried too: a container on two
 * networks is there as long as one of its paths leads there. One that is an overlay of ours is no container: it is gone.
 */
export async function findPlaces(
  { kernel, overlays }: { readonly kernel: Kernel; readonly overlays: Overlays },
  sandboxes: readonly Sandbox[],
  all: Iterable<Sandbox>,
): Promise<Places> {
  const wanted = new Set(sandboxes.map(({ identity }) => identity));
  const candidates = new Map<NetnsIdentity, Set<NetnsPath>>();
  for (const { identity, netns } of all) {
    if (!wanted.has(identity) || isOverlayNetns(netns)) continue;
    candidates.set(identity, (candidates.get(identity) ?? new Set()).add(netns));
  }
  const paths = new Map<NetnsIdentity, NetnsPath | undefined>();
  for (const identity of wanted) {
    const isOverlay = overlays.at(identity) !== undefined;
    paths.set(identity, isOverlay ? undefined : await firstThatLeads(kernel, candidates.get(identity), identity));
  }
  return new Places(paths);
}

async function firstThatLeads(
  kernel: Kernel,
  paths: Iterable<NetnsPath> | undefined,
  identity: NetnsIdentity,
): Promise<NetnsPath | undefined> {
  for (const path of paths ?? []) if ((await kernel.identify(path)) === identity) return path;
  return undefined;
}
