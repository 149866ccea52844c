import { isOverlayNetns, type Kernel, type NetnsIdentity, type NetnsPath } from '@causeway/datapath';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { Overlays } from './overlays.ts';

/** Of a container. */
type Whose = Pick<Sandbox, 'identity' | 'netns'>;

/**
 * Where the containers of a network are: each by one path, whatever aliases its interfaces were attached by, so that what
 * is wanted in one namespace is wanted in one place.
 */
export class Places {
  readonly #paths: Map<NetnsIdentity, NetnsPath>;
  readonly #gone: ReadonlySet<NetnsIdentity>;

  constructor(paths: ReadonlyMap<NetnsIdentity, NetnsPath> = new Map(), gone: ReadonlySet<NetnsIdentity> = new Set()) {
    this.#paths = new Map(paths);
    this.#gone = gone;
  }

  /** No known path leads to the container. */
  isGone({ identity }: Whose): boolean {
    return this.#gone.has(identity);
  }

  /** The same sandboxes, each at the one path of its container. A container not looked for yet is where it says. */
  locate<Of extends Whose>(sandboxes: readonly Of[]): Of[] {
    return sandboxes.map((sandbox) => {
      const netns = this.#pathOf(sandbox);
      return netns === sandbox.netns ? sandbox : { ...sandbox, netns };
    });
  }

  #pathOf({ identity, netns }: Whose): NetnsPath {
    if (this.#gone.has(identity) || isOverlayNetns(netns)) return nowhere(netns);
    const known = this.#paths.get(identity);
    if (known === undefined) this.#paths.set(identity, netns);
    return known ?? netns;
  }
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
  const paths = new Map<NetnsIdentity, NetnsPath>();
  const gone = new Set<NetnsIdentity>();
  for (const identity of wanted) {
    const path =
      overlays.at(identity) === undefined && (await firstThatLeads(kernel, candidates.get(identity), identity));
    if (path) paths.set(identity, path);
    else gone.add(identity);
  }
  return new Places(paths, gone);
}

async function firstThatLeads(
  kernel: Kernel,
  paths: Iterable<NetnsPath> | undefined,
  identity: NetnsIdentity,
): Promise<NetnsPath | undefined> {
  for (const path of paths ?? []) if ((await kernel.identify(path)) === identity) return path;
  return undefined;
}
