import { home, isOverlayNetns, type Kernel, type NetnsIdentity, type NetnsPath, vxlanName } from '@causeway/datapath';
import type { Sandbox } from '../sandbox/sandbox.ts';

/**
 * Which namespaces are Causeway's own, by identity: a path has aliases (symbolic links, bind mounts, /var/run, "//"), and
 * what is an overlay by one must not be a container by another. The one registry of a host, kept as overlays are made,
 * found and removed, so that an attach looks a namespace up instead of opening every overlay there is.
 */
export class Overlays {
  readonly #kernel: Kernel;
  readonly #containers: () => Iterable<Sandbox>;
  readonly #paths = new Map<NetnsIdentity, NetnsPath>();

  constructor(modules: { readonly kernel: Kernel; readonly containers: () => Iterable<Sandbox> }) {
    this.#kernel = modules.kernel;
    this.#containers = modules.containers;
  }

  /** The path of the overlay that has this identity; undefined: it is none. */
  at(identity: NetnsIdentity): NetnsPath | undefined {
    return this.#paths.get(identity);
  }

  /** Those that a former agent has left, before anything is attached. What is not an overlay is left out. */
  async load(): Promise<void> {
    for (const path of (await this.#kernel.ownNetns()).filter(isOverlayNetns)) {
      await this.found(path).catch(() => undefined);
    }
  }

  /** Just made by us. */
  async made(path: NetnsPath): Promise<void> {
    this.forget(path);
    const identity = await this.#kernel.identify(path);
    if (identity !== undefined) this.#paths.set(identity, path);
  }

  /**
   * The namespace at an overlay's path, before it is looked at, changed or taken apart: undefined when there is none;
   * throws when another's is mounted there, so that nothing of it is taken for ours.
   */
  async found(path: NetnsPath): Promise<NetnsIdentity | undefined> {
    const identity = await this.#kernel.identify(path);
    if (identity === undefined || this.#paths.get(identity) === path) return identity;
    this.forget(path);
    const owner = await this.#ownerOf(identity, path);
    if (owner !== undefined) throw new Error(`${path} leads to ${owner}: unmount it, and the overlay is made there`);
    this.#paths.set(identity, path);
    return identity;
  }

  /** Nothing of ours is at the path any more. */
  forget(path: NetnsPath): void {
    for (const [identity, known] of this.#paths) if (known === path) this.#paths.delete(identity);
  }

  async #ownerOf(identity: NetnsIdentity, path: NetnsPath): Promise<string | undefined> {
    if (identity === (await this.#kernel.identify(home))) return "the host's own network namespace";
    const overlay = this.#paths.get(identity);
    if (overlay !== undefined) return `the overlay namespace ${overlay}`;
    for (const sandbox of this.#containers()) {
      if (sandbox.identity !== identity || (await this.#holdsTunnel(path))) continue;
      return `the container of endpoint ${sandbox.endpoint.name} (${sandbox.netns})`;
    }
    return undefined;
  }

  /** Only we make one, on a socket of the host's namespace: a record that says it is a container's is wrong. */
  async #holdsTunnel(path: NetnsPath): Promise<boolean> {
    const found = await this.#kernel.read(path, { links: [vxlanName], bare: true, sysctls: [] });
    return found?.links.get(vxlanName)?.kind === 'vxlan';
  }
}
