import type { Clock } from '@causeway/runtime';
import { type Link, portOf, withPort } from '../../kinds/link/link.ts';
import { hostNetns, type NetnsPath } from '../../state.ts';
import type { FakeLinkEventType } from '../twin.ts';

/** Thrown by an op of the fake kernel; becomes its OpResult. */
export class Refusal extends Error {
  readonly errno: string;

  constructor(errno: string, message: string) {
    super(message);
    this.errno = errno;
  }
}

/** PROC_DYNAMIC_FIRST, linux/proc_ns.h. */
const firstInode = 0xf0000000;
/** How long a deleted namespace keeps its VNIs, ms. Measured: 0 to 68, under load up to a second. */
const teardownTime = 50;

/** A link. The twin of each kind keeps what belongs to the link (`perOwner`), for as long as the link exists. */
export interface FakeLink {
  link: Link;
  /** Device group. */
  readonly group: number;
  /** The other end of a veth pair. */
  readonly other?: FakeEnd;
}

export interface FakeEnd {
  readonly namespace: FakeNamespace;
  readonly name: string;
}

export interface FakeNamespace {
  /** The number of the namespace. It is never reused. */
  readonly cookie: bigint;
  /** Reused after the namespace is gone, the lowest free inode first, as nsfs does. */
  readonly inode: number;
  readonly isHostNetns: boolean;
  readonly links: Map<string, FakeLink>;
}

/** Values that a twin keeps for each link, or each namespace, for as long as the link or namespace exists. */
export function perOwner<Owner extends object, Value>(make: () => Value): (owner: Owner) => Value {
  const kept = new WeakMap<Owner, Value>();
  return (owner) => {
    let value = kept.get(owner);
    if (value === undefined) {
      value = make();
      kept.set(owner, value);
    }
    return value;
  };
}

interface FakeHostParts {
  readonly clock: Clock;
  /** Whether the kernel has the modules of ESP. */
  readonly hasEsp: boolean;
  /** Called when a link changes, so that watches can report it. */
  readonly onChange: (namespace: FakeNamespace, link: string) => void;
  /** Called when something happens to a link that affects what belongs to the link. */
  readonly onLinkEvent: (namespace: FakeNamespace, link: FakeLink, what: FakeLinkEventType) => void;
}

/** The kernel of one host: its namespaces and links, and the VNIs that are taken in its host namespace. */
export class FakeHost {
  readonly namespaces = new Map<NetnsPath, FakeNamespace>();
  readonly #parts: FakeHostParts;
  /** Until when each tunnel (VNI, port, family) is taken; infinity while its device exists. */
  readonly #tunnels = new Map<string, number>();
  /** Links that were moved to another namespace, and the namespace in which each was made. */
  readonly #moved = new WeakMap<FakeLink, FakeNamespace>();
  #made = 0n;

  constructor(parts: FakeHostParts) {
    this.#parts = parts;
    this.addNamespace(hostNetns);
  }

  get hasEsp(): boolean {
    return this.#parts.hasEsp;
  }

  /** Unix ms. */
  get wall(): number {
    return this.#parts.clock.wall();
  }

  namespace(path: NetnsPath): FakeNamespace {
    const found = this.namespaces.get(path);
    if (found === undefined) throw new Refusal('ENOENT', `no namespace at ${path}`);
    return found;
  }

  addNamespace(path: NetnsPath): void {
    if (this.namespaces.has(path)) throw new Refusal('EEXIST', `${path} exists`);
    const isHostNetns = path === hostNetns;
    this.namespaces.set(path, { cookie: ++this.#made, inode: this.#freeInode(), isHostNetns, links: new Map() });
  }

  /** `mount --bind` of a namespace, or a symbolic link to it: another path that leads there. */
  bind(path: NetnsPath, to: NetnsPath): void {
    if (this.namespaces.has(path)) throw new Refusal('EEXIST', `${path} exists`);
    this.namespaces.set(path, this.namespace(to));
  }

  #freeInode(): number {
    const taken = new Set(Array.from(this.namespaces.values(), ({ inode }) => inode));
    let inode = firstInode;
    while (taken.has(inode)) inode++;
    return inode;
  }

  /**
   * Removes a path. With its last path a namespace dies: its links and their other ends are removed, and its VNIs stay taken
   * for a while. Returns the namespace if it died.
   */
  removeNamespace(path: NetnsPath): FakeNamespace | undefined {
    const namespace = this.namespaces.get(path);
    if (namespace === undefined) return undefined;
    this.namespaces.delete(path);
    if ([...this.namespaces.values()].includes(namespace)) return undefined;
    for (const name of [...namespace.links.keys()])
      this.removeLink(namespace, name, this.#parts.clock.now() + teardownTime);
    return namespace;
  }

  addLink(namespace: FakeNamespace, link: Link, { other, group = 0 }: Partial<Omit<FakeLink, 'link'>> = {}): FakeLink {
    const made: FakeLink = { link, group, ...(other && { other }) };
    namespace.links.set(link.name, made);
    this.happen(namespace, made, 'made');
    this.changed(namespace, link.name);
    return made;
  }

  /** Removes the link, its other end and what belongs to it. If the link is a bridge, its ports leave it. */
  removeLink(namespace: FakeNamespace, name: string, tunnelUntil = Number.NEGATIVE_INFINITY): void {
    const removed = namespace.links.get(name);
    if (removed === undefined) return;
    namespace.links.delete(name);
    this.happen(namespace, removed, 'gone');
    for (const port of namespace.links.values()) {
      if (portOf(port.link)?.master === name) this.leaveBridge(namespace, port);
    }
    if (removed.link.kind === 'vxlan') this.#tunnels.set(tunnelKey(removed.link), tunnelUntil);
    this.changed(namespace, name);
    if (removed.other !== undefined) this.removeLink(removed.other.namespace, removed.other.name);
  }

  leaveBridge(namespace: FakeNamespace, port: FakeLink): void {
    port.link = withPort(port.link, undefined);
    this.happen(namespace, port, 'left bridge');
  }

  /** `ip link set NAME netns TO`: the link leaves its bridge, and is down. */
  moveLink(namespace: FakeNamespace, name: string, to: FakeNamespace): void {
    const moved = namespace.links.get(name);
    if (moved === undefined) return;
    namespace.links.delete(name);
    this.happen(namespace, moved, 'gone');
    this.changed(namespace, name);
    const link = { ...withPort(moved.link, undefined), up: false };
    this.#moved.set(to.links.set(name, { ...moved, link }).get(name) as FakeLink, namespace);
    this.changed(to, name);
  }

  takeTunnel(link: Link & { kind: 'vxlan' }, from: FakeNamespace): void {
    for (const namespace of new Set(this.namespaces.values())) {
      for (const [name, each] of namespace.links) {
        const { link: found } = each;
        if (this.#moved.get(each) !== from || found.kind !== 'vxlan' || found.mac !== link.mac) continue;
        if (tunnelKey(found) === tunnelKey(link)) this.removeLink(namespace, name);
      }
    }
    const until = this.#tunnels.get(tunnelKey(link));
    if (until !== undefined && until > this.#parts.clock.now()) {
      throw new Refusal('EEXIST', 'A VXLAN device with the specified VNI already exists');
    }
    this.#tunnels.set(tunnelKey(link), Number.POSITIVE_INFINITY);
  }

  changed(namespace: FakeNamespace, link: string): void {
    this.#parts.onChange(namespace, link);
  }

  happen(namespace: FakeNamespace, link: FakeLink, what: FakeLinkEventType): void {
    this.#parts.onLinkEvent(namespace, link, what);
  }
}

export function findLink(namespace: FakeNamespace, name: string): FakeLink {
  const found = namespace.links.get(name);
  if (found === undefined) throw new Refusal('ENODEV', `no link ${name}`);
  return found;
}

function tunnelKey(link: Link & { kind: 'vxlan' }): string {
  return `${link.vni} ${link.port} ${link.local.includes(':') ? 6 : 4}`;
}
