import {
  espVxlanName,
  hostEnd,
  hostNetns,
  isOverlayNetns,
  type Kernel,
  type NetnsIdentity,
  type NetnsPath,
  vxlanName,
} from '@causeway/datapath';
import type { Log } from '@causeway/runtime';
import type { OverlayRecords } from '../disk/overlay-records.ts';
import type { Sandbox } from '../disk/sandbox.ts';

export interface OverlaysModules {
  readonly kernel: Kernel;
  readonly containers: () => Iterable<Sandbox>;
  readonly records: OverlayRecords;
  readonly log: Log;
}

/**
 * Knows by identity which namespaces are Causeway's own overlays. A namespace can have several paths (symbolic links,
 * bind mounts, /var/run, "//"), and an overlay at one path must not become a container at another. There is one registry
 * for each host. It is updated when overlays are made, found and removed, so that an attach need not open every overlay.
 */
export class Overlays {
  readonly #kernel: Kernel;
  readonly #containers: () => Iterable<Sandbox>;
  readonly #records: OverlayRecords;
  readonly #log: Log;
  readonly #paths = new Map<NetnsIdentity, NetnsPath>();
  /** Overlays that another agent has made, and in which it has containers. */
  readonly #foreign = new Map<NetnsPath, NetnsIdentity>();

  constructor(modules: OverlaysModules) {
    this.#kernel = modules.kernel;
    this.#containers = modules.containers;
    this.#records = modules.records;
    this.#log = modules.log;
  }

  /** The path of the overlay with this identity; undefined: no overlay has it. */
  at(identity: NetnsIdentity): NetnsPath | undefined {
    return this.#paths.get(identity);
  }

  /**
   * Finds the overlays that an earlier agent has left, before anything is attached. Namespaces that are no overlays are
   * left out.
   */
  async load(): Promise<void> {
    for (const path of (await this.#kernel.ownNetns()).filter(isOverlayNetns)) {
      const identity = await this.found(path).catch(() => undefined);
      if (identity !== undefined) await this.#judge(path, identity);
    }
  }

  /** Paths of overlays that another agent of this host has made. Nothing in them is changed or removed. */
  get foreign(): readonly NetnsPath[] {
    return [...this.#foreign.keys()];
  }

  async isForeign(path: NetnsPath): Promise<boolean> {
    const identity = this.#foreign.get(path);
    if (identity === undefined) return false;
    if ((await this.#kernel.identify(path)) === identity) return true;
    this.#foreign.delete(path);
    return false;
  }

  /**
   * Whether the agent of this data directory made the overlay. Only such an overlay is removed when no network wants it.
   */
  async isRecorded(path: NetnsPath): Promise<boolean> {
    const identity = await this.#kernel.identify(path);
    return identity !== undefined && this.#records.has(path, identity);
  }

  /**
   * Decides whose overlay it is when the list lacks it, because the agent kept no list or died before it was written.
   * The containers show whose it is; an overlay without containers serves no traffic.
   */
  async #judge(path: NetnsPath, identity: NetnsIdentity): Promise<void> {
    if (this.#records.has(path, identity)) return;
    const found = await this.#kernel.read(path, { of: [], sysctls: [] });
    const ports = [...(found?.links.values() ?? [])].filter(({ kind }) => kind === 'veth').map(({ name }) => name);
    const own = new Set(Array.from(this.#containers(), ({ endpoint }) => hostEnd(endpoint.id)));
    if (ports.some((port) => own.has(port))) return this.#records.add(path, identity);
    if (ports.length === 0) return;
    this.#foreign.set(path, identity);
    this.#log.warn('netns.foreign', { netns: path, containers: ports.length, message: foreignMessage(path) });
  }

  /** The agent has just made the overlay. */
  async made(path: NetnsPath): Promise<void> {
    this.forget(path);
    const identity = await this.#kernel.identify(path);
    if (identity === undefined) return;
    this.#paths.set(identity, path);
    this.#records.add(path, identity);
  }

  /** Same as `found`, for a caller that is about to program the overlay: from then on its content is this agent's. */
  async adopt(path: NetnsPath): Promise<void> {
    const identity = await this.found(path);
    if (identity !== undefined) this.#records.add(path, identity);
  }

  /**
   * The identity of the namespace at an overlay's path, before the agent reads, changes or removes it; undefined: there
   * is none. Throws when the namespace belongs to something else, so that the agent touches nothing in it.
   */
  async found(path: NetnsPath): Promise<NetnsIdentity | undefined> {
    if (await this.isForeign(path)) throw new Error(foreignMessage(path));
    const identity = await this.#kernel.identify(path);
    if (identity === undefined || this.#paths.get(identity) === path) return identity;
    this.forget(path);
    const owner = await this.#ownerOf(identity, path);
    if (owner !== undefined) throw new Error(`${path} leads to ${owner}: unmount it, and the overlay is made there`);
    this.#paths.set(identity, path);
    return identity;
  }

  /** The overlay was removed. */
  removed(path: NetnsPath): void {
    this.forget(path);
    this.#records.remove(path);
  }

  /** No overlay of this agent is at the path any more. */
  forget(path: NetnsPath): void {
    for (const [identity, known] of this.#paths) if (known === path) this.#paths.delete(identity);
  }

  async #ownerOf(identity: NetnsIdentity, path: NetnsPath): Promise<string | undefined> {
    if (identity === (await this.#kernel.identify(hostNetns))) return "the host's own network namespace";
    const overlay = this.#paths.get(identity);
    if (overlay !== undefined) return `the overlay namespace ${overlay}`;
    for (const sandbox of this.#containers()) {
      if (sandbox.identity !== identity || (await this.#holdsTunnel(path))) continue;
      return `the container of endpoint ${sandbox.endpoint.name} (${sandbox.netns})`;
    }
    return undefined;
  }

  /**
   * Only Causeway makes this vxlan device, on a socket of the host's namespace. A record that calls such a namespace a
   * container is wrong.
   */
  async #holdsTunnel(path: NetnsPath): Promise<boolean> {
    const tunnels = [vxlanName, espVxlanName];
    const found = await this.#kernel.read(path, { links: tunnels, of: [], sysctls: [] });
    return tunnels.some((name) => found?.links.get(name)?.kind === 'vxlan');
  }
}

function foreignMessage(path: NetnsPath): string {
  return `${path} and the containers in it are those of another agent of this host: start the agent with the --data-dir it had before, or take Causeway off the host with causeway-agent --reset`;
}
