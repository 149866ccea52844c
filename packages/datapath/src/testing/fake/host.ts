import { type InterfaceAddress, type Ip, interfaceAddress, type Mac } from '@causeway/model';
import type { Clock } from '@causeway/runtime';
import { home, type Link, type NetnsPath, type Route } from '../../state.ts';
import { addInterfaceSysctls, newNamespaceSysctls, removeInterfaceSysctls } from './sysctls.ts';

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

/** A link and what hangs on it, so that all of it goes when the link goes. */
export interface FakeLink {
  link: Link;
  /** In the order they were added: the first IPv4 one of a subnet is its primary. */
  readonly addresses: Set<InterfaceAddress>;
  readonly neighbours: Map<Ip, Mac>;
  /** Of a vxlan device (`self`): several VTEPs for a group MAC only. */
  readonly tunnels: Map<Mac, Ip[]>;
  /** Static entries of its bridge (`master`). */
  readonly ports: Set<Mac>;
  /** The other end of a veth pair. */
  readonly other?: FakeEnd;
}

export interface FakeEnd {
  readonly namespace: FakeNamespace;
  readonly name: string;
}

export interface FakeNamespace {
  /** Of its kind never given again. */
  readonly cookie: bigint;
  /** Given again, the lowest free one first, as nsfs does. */
  readonly inode: number;
  readonly links: Map<string, FakeLink>;
  readonly routes: Route[];
  readonly sysctls: Map<string, string>;
}

/** The kernel of one host: its namespaces, and the VNIs its home namespace has given out. */
export class FakeHost {
  readonly namespaces = new Map<NetnsPath, FakeNamespace>();
  readonly #clock: Clock;
  readonly #onChange: (namespace: FakeNamespace, link: string) => void;
  /** Until when a tunnel (VNI, port, family) is taken: for ever while its device lives. */
  readonly #tunnels = new Map<string, number>();
  #made = 0n;

  constructor(
    parts: { clock: Clock; onChange: (namespace: FakeNamespace, link: string) => void },
    underlay: Link,
    address: Ip,
  ) {
    this.#clock = parts.clock;
    this.#onChange = parts.onChange;
    this.addNamespace(home);
    this.addLink(this.namespace(home), underlay).addresses.add(interfaceAddress(address, 24));
  }

  namespace(path: NetnsPath): FakeNamespace {
    const found = this.namespaces.get(path);
    if (found === undefined) throw new Refusal('ENOENT', `no namespace at ${path}`);
    return found;
  }

  addNamespace(path: NetnsPath): void {
    if (this.namespaces.has(path)) throw new Refusal('EEXIST', `${path} exists`);
    this.namespaces.set(path, {
      cookie: ++this.#made,
      inode: this.#freeInode(),
      links: new Map(),
      routes: [],
      sysctls: newNamespaceSysctls(),
    });
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
    for (const name of [...namespace.links.keys()]) this.removeLink(namespace, name, this.#clock.now() + dying);
    return namespace;
  }

  addLink(namespace: FakeNamespace, link: Link, other?: FakeEnd): FakeLink {
    const made: FakeLink = {
      link,
      addresses: new Set(),
      neighbours: new Map(),
      tunnels: new Map(),
      ports: new Set(),
      ...(other && { other }),
    };
    namespace.links.set(link.name, made);
    addInterfaceSysctls(namespace.sysctls, link.name, link.mtu);
    this.#onChange(namespace, link.name);
    return made;
  }

  /** With its other end, its routes and, when it is a bridge, its ports' membership. */
  removeLink(namespace: FakeNamespace, name: string, tunnelUntil = Number.NEGATIVE_INFINITY): void {
    const removed = namespace.links.get(name);
    if (removed === undefined) return;
    namespace.links.delete(name);
    removeInterfaceSysctls(namespace.sysctls, name);
    removeRoutes(namespace, (route) => route.dev === name);
    for (const port of namespace.links.values()) if (masterOf(port.link) === name) leaveBridge(port);
    if (removed.link.kind === 'vxlan') this.#tunnels.set(tunnelKey(removed.link), tunnelUntil);
    this.#onChange(namespace, name);
    if (removed.other !== undefined) this.removeLink(removed.other.namespace, removed.other.name);
  }

  takeTunnel(link: Link & { kind: 'vxlan' }): void {
    const until = this.#tunnels.get(tunnelKey(link));
    if (until !== undefined && until > this.#clock.now()) {
      throw new Refusal('EEXIST', 'A VXLAN device with the specified VNI already exists');
    }
    this.#tunnels.set(tunnelKey(link), Number.POSITIVE_INFINITY);
  }

  changed(namespace: FakeNamespace, link: string): void {
    this.#onChange(namespace, link);
  }
}

export function findLink(namespace: FakeNamespace, name: string): FakeLink {
  const found = namespace.links.get(name);
  if (found === undefined) throw new Refusal('ENODEV', `no link ${name}`);
  return found;
}

/** Name of the bridge a link is a port of. */
export function masterOf(link: Link): string | undefined {
  return 'bridgePort' in link ? link.bridgePort?.master : undefined;
}

export function leaveBridge(port: FakeLink): void {
  if (port.link.kind === 'vxlan' || port.link.kind === 'veth') {
    const { bridgePort: _, ...link } = port.link;
    port.link = link;
  }
  port.ports.clear();
}

export function removeRoutes(namespace: FakeNamespace, which: (route: Route) => boolean): void {
  namespace.routes.splice(0, namespace.routes.length, ...namespace.routes.filter((route) => !which(route)));
}

function tunnelKey(link: Link & { kind: 'vxlan' }): string {
  return `${link.vni} ${link.port} ${link.local.includes(':') ? 6 : 4}`;
}
