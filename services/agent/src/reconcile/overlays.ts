import {
  home,
  hostEnd,
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
 * Which namespaces are Causeway's own, by identity: a path has aliases (symbolic links, bind mounts, /var/run, "//"), and
 * what is an overlay by one must not be a container by another. The one registry of a host, kept as overlays are made,
 * found and removed, so that an attach looks a namespace up instead of opening every overlay there is.
 */
export class Overlays {
  readonly #kernel: Kernel;
  readonly #containers: () => Iterable<Sandbox>;
  readonly #records: OverlayRecords;
  readonly #log: Log;
  readonly #paths = new Map<NetnsIdentity, NetnsPath>();
  /** Those that another agent has made, with their containers. */
  readonly #foreign = new Map<NetnsPath, NetnsIdentity>();

  constructor(modules: OverlaysModules) {
    this.#kernel = modules.kernel;
    this.#containers = modules.containers;
    this.#records = modules.records;
    this.#log = modules.log;
  }

  /** The path of the overlay that has this identity; undefined: it is none. */
  at(identity: NetnsIdentity): NetnsPath | undefined {
    return this.#paths.get(identity);
  }

  /** Those that a former agent has left, before anything is attached. What is not an overlay is left out. */
  async load(): Promise<void> {
    for (const path of (await this.#kernel.ownNetns()).filter(isOverlayNetns)) {
      const identity = await this.found(path).catch(() => undefined);
      if (identity !== undefined) await this.#judge(path, identity);
    }
  }

  /** Paths of overlays that another agent of this host has made: nothing of them is changed or removed. */
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

  /** Made by the agent of this data directory: only such a one is removed when no network wants it. */
  async isRecorded(path: NetnsPath): Promise<boolean> {
    const identity = await this.#kernel.identify(path);
    return identity !== undefined && this.#records.has(path, identity);
  }

  /** An agent that kept no list, or died before it was written, is known by its containers; without any nobody is hurt. */
  async #judge(path: NetnsPath, identity: NetnsIdentity): Promise<void> {
    if (this.#records.has(path, identity)) return;
    const found = await this.#kernel.read(path, { bare: true, sysctls: [] });
    const ports = [...(found?.links.values() ?? [])].filter(({ kind }) => kind === 'veth').map(({ name }) => name);
    const own = new Set(Array.from(this.#containers(), ({ endpoint }) => hostEnd(endpoint.id)));
    if (ports.some((port) => own.has(port))) return this.#records.add(path, identity);
    if (ports.length === 0) return;
    this.#foreign.set(path, identity);
    this.#log.warn('netns.foreign', { netns: path, containers: ports.length, message: foreignMessage(path) });
  }

  /** Just made by us. */
  async made(path: NetnsPath): Promise<void> {
    this.forget(path);
    const identity = await this.#kernel.identify(path);
    if (identity === undefined) return;
    this.#paths.set(identity, path);
    this.#records.add(path, identity);
  }

  /** As `found`, by who is about to program it: from then on what is in it is ours. */
  async adopt(path: NetnsPath): Promise<void> {
    const identity = await this.found(path);
    if (identity !== undefined) this.#records.add(path, identity);
  }

  /**
   * The namespace at an overlay's path, before it is looked at, changed or taken apart: undefined when there is none;
   * throws when another's is mounted there, so that nothing of it is taken for ours.
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

  /** It was removed. */
  removed(path: NetnsPath): void {
    this.forget(path);
    this.#records.remove(path);
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

function foreignMessage(path: NetnsPath): string {
  return `${path} and the containers in it are those of another agent of this host: start the agent with the --data-dir it had before, or take Causeway off the host with causeway-agent --reset`;
}
