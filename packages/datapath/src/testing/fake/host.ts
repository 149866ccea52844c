import type { Clock } from '@causeway/runtime';
import { type Link, portOf, withPort } from '../../kinds/link/link.ts';
import { home, type NetnsPath } from '../../state.ts';
import type { FakeFate } from '../twin.ts';

/** What an op of the fake kernel throws; becomes its OpResult. */
export class Refusal extends Error {
  readonly errno: string;

  constructor(errno: string, message: string) {
    super(message);
    this.errno = errno;
  }
}

/** PROC_DYNAMIC_FIRST, linux/proc_ns.h. */
const firstInode = 0xf0000000;
/** How long a namespace that died keeps its VNIs, ms: 0 to 68 were seen, up to a second under load. */
const dying = 50;

/** A link. What hangs on it is kept by the twins of its kinds, `perOwner`, and goes with it. */
export interface FakeLink {
  link: Link;
  /** The other end of a veth pair. */
  readonly other?: FakeEnd;
}

export interface FakeEnd {
  readonly namespace: FakeNamespace;
  readonly name: string;
}

export interface FakeNamespace {
  /** The number of the namespace, which no other namespace is given. */
  readonly cookie: bigint;
  /** Given again, the lowest free one first, as nsfs does. */
  readonly inode: number;
  readonly links: Map<string, FakeLink>;
}

/** What a twin keeps of each link, or of each namespace, for as long as there is one. */
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
  /** A link has changed, as a watch would tell. */
  readonly onChange: (namespace: FakeNamespace, link: string) => void;
  /** Something happens to a link that has to do with what hangs on it. */
  readonly onFate: (namespace: FakeNamespace, link: FakeLink, what: FakeFate) => void;
}

/** The kernel of one host: its namespaces and links, and the VNIs its home namespace has given out. */
export class FakeHost {
  readonly namespaces = new Map<NetnsPath, FakeNamespace>();
  readonly #parts: FakeHostParts;
  /** Until when a tunnel (VNI, port, family) is taken: for ever while its device lives. */
  readonly #tunnels = new Map<string, number>();
  #made = 0n;

  constructor(parts: FakeHostParts) {
    this.#parts = parts;
    this.addNamespace(home);
  }

  namespace(path: NetnsPath): FakeNamespace {
    const found = this.namespaces.get(path);
    if (found === undefined) throw new Refusal('ENOENT', `no namespace at ${path}`);
    return found;
  }

  addNamespace(path: NetnsPath): void {
    if (this.namespaces.has(path)) throw new Refusal('EEXIST', `${path} exists`);
    this.namespaces.set(path, { cookie: ++this.#made, inode: this.#freeInode(), links: new Map() });
  }

  /** `mount --bind` of a namespace, or a symbolic link to it: one more path that leads there. */
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
   * Its links die with its last path, and their other ends; its VNIs stay taken for a while. The namespace that died,
   * if one did.
   */
  removeNamespace(path: NetnsPath): FakeNamespace | undefined {
    const namespace = this.namespaces.get(path);
    if (namespace === undefined) return undefined;
    this.namespaces.delete(path);
    if ([...this.namespaces.values()].includes(namespace)) return undefined;
    for (const name of [...namespace.links.keys()]) this.removeLink(namespace, name, this.#parts.clock.now() + dying);
    return namespace;
  }

  addLink(namespace: FakeNamespace, link: Link, other?: FakeEnd): FakeLink {
    const made: FakeLink = { link, ...(other && { other }) };
    namespace.links.set(link.name, made);
    this.happen(namespace, made, 'made');
    this.changed(namespace, link.name);
    return made;
  }

  /** With its other end, what hangs on it and, when it is a bridge, its ports' membership. */
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

  takeTunnel(link: Link & { kind: 'vxlan' }): void {
    const until = this.#tunnels.get(tunnelKey(link));
    if (until !== undefined && until > this.#parts.clock.now()) {
      throw new Refusal('EEXIST', 'A VXLAN device with the specified VNI already exists');
    }
    this.#tunnels.set(tunnelKey(link), Number.POSITIVE_INFINITY);
  }

  changed(namespace: FakeNamespace, link: string): void {
    this.#parts.onChange(namespace, link);
  }

  happen(namespace: FakeNamespace, link: FakeLink, what: FakeFate): void {
    this.#parts.onFate(namespace, link, what);
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
