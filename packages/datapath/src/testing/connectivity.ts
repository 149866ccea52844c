import { addressOf, contains, type Family, family, familyOf, type Ip, type Mac, prefixOf } from '@causeway/model';
import { portOf } from '../kinds/link/link.ts';
import type { Route } from '../kinds/route.ts';
import { hostNetns, type NetnsPath } from '../state.ts';
import type { FakeEnd, FakeLink, FakeNamespace } from './fake/host.ts';
import { fateOf, isTaken } from './fake/ipsec.ts';
import type { FakeKernel } from './fake-kernel.ts';
import { addressesOf, hasAddress } from './twins/address.ts';
import { portEntriesOf, tunnelsOf } from './twins/fdb.ts';
import { neighboursOf } from './twins/neighbour.ts';
import { routesOf } from './twins/route.ts';
import { sysctlsOf } from './twins/sysctl.ts';

/** A namespace on a host. */
export interface Place {
  readonly kernel: FakeKernel;
  readonly netns: NetnsPath;
}

/** Whether an echo reply came back; `path` names what the frames passed through, up to the point where they were lost. */
export interface Delivery {
  readonly delivered: boolean;
  readonly path: readonly string[];
}

/** The number of namespaces that may forward a packet before it counts as lost: the TTL of the IP header. */
const hops = 8;

/**
 * A ping between fake kernels, there and back. Every frame takes the path that the tables of the kernels give, neighbour
 * resolution included: containers ask, vxlan0 answers for remote addresses, and nothing is flooded into the underlay. "ESP" in the
 * path: an SA protects the frame from there to the next host.
 */
export function connectivity(kernels: readonly FakeKernel[], from: Place, to: Ip): Delivery {
  const path: string[] = [];
  const start = from.kernel.namespaces.get(from.netns);
  const source = start && sourceAddress(start, to);
  if (start === undefined || source === undefined) return { delivered: false, path };
  const walk = new Walk(kernels, path);
  const there = walk.packet(start, to);
  const back = there && walk.packet(there, source);
  return { delivered: back === start, path };
}

class Walk {
  readonly #kernels: readonly FakeKernel[];
  readonly #path: string[];

  constructor(kernels: readonly FakeKernel[], path: string[]) {
    this.#kernels = kernels;
    this.#path = path;
  }

  /** The namespace that has the address, if a packet from `start` arrives there. */
  packet(start: FakeNamespace, to: Ip): FakeNamespace | undefined {
    let at: FakeNamespace | undefined = start;
    for (let hop = 0; at !== undefined && hop < hops; hop++) {
      if (owns(at, to)) return at;
      if (hop > 0 && !forwards(at, family(to))) return undefined;
      at = this.#hop(at, to);
    }
    return undefined;
  }

  #hop(at: FakeNamespace, to: Ip): FakeNamespace | undefined {
    const way = routeTo(at, to);
    const out = way && at.links.get(way.dev);
    if (way === undefined || out === undefined) return undefined;
    const mac = neighboursOf(out).get(way.next) ?? this.#resolve(at, out, way.next);
    return mac === undefined ? undefined : this.#send(at, out, mac);
  }

  /**
   * The MAC that answers for the address on the link: of a station of the bridge, of the bridge itself, or vxlan0's
   * neighbour.
   */
  #resolve(at: FakeNamespace, out: FakeLink, next: Ip): Mac | undefined {
    const bridge = out.link.kind === 'bridge' ? { namespace: at, name: out.link.name } : bridgeBehind(out);
    if (bridge === undefined) return undefined;
    const own = bridge.namespace.links.get(bridge.name);
    if (own !== undefined && own !== out && hasAddress(own, next)) return own.link.mac;
    for (const port of portsOf(bridge)) {
      if (port.link.kind === 'vxlan' && neighboursOf(port).has(next)) return neighboursOf(port).get(next);
      const station = farEnd(port);
      if (station?.link.up === true && hasAddress(station, next)) return station.link.mac;
    }
    return undefined;
  }

  /** The namespace that receives a frame to the MAC. */
  #send(at: FakeNamespace, out: FakeLink, mac: Mac): FakeNamespace | undefined {
    this.#path.push(out.link.name);
    const bridge = out.link.kind === 'bridge' ? { namespace: at, name: out.link.name } : bridgeBehind(out);
    return bridge && this.#bridge(bridge, mac, true);
  }

  #bridge(bridge: FakeEnd, mac: Mac, mayTunnel: boolean): FakeNamespace | undefined {
    const own = bridge.namespace.links.get(bridge.name);
    if (own?.link.up !== true) return undefined;
    this.#path.push(bridge.name);
    if (own.link.mac === mac) return bridge.namespace;
    const port = portsOf(bridge).find((each) => portEntriesOf(each).has(mac));
    if (port !== undefined) return this.#deliver(port, mac);
    const tunnel = portsOf(bridge).find(({ link }) => link.kind === 'vxlan' && link.bridgePort?.flood === true);
    return mayTunnel && tunnel !== undefined ? this.#tunnel(bridge.namespace, tunnel, mac) : undefined;
  }

  #deliver(port: FakeLink, mac: Mac): FakeNamespace | undefined {
    const station = farEnd(port);
    if (station?.link.up !== true || station.link.mac !== mac) return undefined;
    this.#path.push(station.link.name);
    return port.other?.namespace;
  }

  /** Sends through the underlay to the device of the same VNI and port on the host that has the VTEP's address. */
  #tunnel(from: FakeNamespace, tunnel: FakeLink, mac: Mac): FakeNamespace | undefined {
    const { link } = tunnel;
    const vtep = tunnelsOf(tunnel).get(mac)?.[0];
    if (link.kind !== 'vxlan' || vtep === undefined) return undefined;
    const sender = this.#kernels.find(({ namespaces }) => [...namespaces.values()].includes(from))?.namespaces;
    const packet = { src: link.local, dst: vtep, sport: link.sourcePort, dport: link.port };
    const fate = fateOf(sender?.get(hostNetns) ?? from, packet);
    this.#path.push(link.name, ...(typeof fate === 'object' ? ['ESP'] : []), vtep);
    if (fate === 'dropped') return undefined;
    for (const { namespaces } of this.#kernels) {
      const underlay = namespaces.get(hostNetns);
      if (underlay === undefined || !owns(underlay, vtep) || !isTaken(underlay, packet, fate)) continue;
      for (const namespace of namespaces.values()) {
        const end = [...namespace.links.values()].find(
          (each) => each.link.kind === 'vxlan' && each.link.vni === link.vni && each.link.port === link.port,
        );
        const bridge = end && portOf(end.link)?.master;
        if (end?.link.up !== true || bridge === undefined) continue;
        this.#path.push(end.link.name);
        return this.#bridge({ namespace, name: bridge }, mac, false);
      }
    }
    return undefined;
  }
}

function sourceAddress(namespace: FakeNamespace, to: Ip): Ip | undefined {
  const way = routeTo(namespace, to);
  const out = way && namespace.links.get(way.dev);
  const address = [...(out === undefined ? [] : addressesOf(out))].find((each) => familyOf(each) === family(to));
  return address && addressOf(address);
}

/**
 * Connected subnets first, then a default route. A real kernel sorts routes by length; here all routes are default
 * routes.
 */
function routeTo(namespace: FakeNamespace, to: Ip): { dev: string; next: Ip } | undefined {
  for (const [dev, link] of namespace.links) {
    if (link.link.up && [...addressesOf(link)].some((address) => contains(prefixOf(address), to)))
      return { dev, next: to };
  }
  const route = routesOf(namespace)
    .filter(({ dst }) => contains(dst, to))
    .reduce<Route | undefined>(
      (best, each) => (best === undefined || each.metric < best.metric ? each : best),
      undefined,
    );
  return route && { dev: route.dev, next: route.gateway ?? to };
}

function owns(namespace: FakeNamespace, ip: Ip): boolean {
  return [...namespace.links.values()].some((link) => link.link.up && hasAddress(link, ip));
}

function forwards(namespace: FakeNamespace, of: Family): boolean {
  const key = of === 4 ? 'net.ipv4.ip_forward' : 'net.ipv6.conf.all.forwarding';
  return sysctlsOf(namespace).get(key) === '1';
}

/** The bridge that a veth leads to, when both its ends are up. */
function bridgeBehind(out: FakeLink): FakeEnd | undefined {
  const other = farEnd(out);
  const name = other && portOf(other.link)?.master;
  if (out.other === undefined || !out.link.up || other?.link.up !== true || name === undefined) return undefined;
  return { namespace: out.other.namespace, name };
}

function farEnd({ other }: FakeLink): FakeLink | undefined {
  return other?.namespace.links.get(other.name);
}

function portsOf({ namespace, name }: FakeEnd): FakeLink[] {
  return [...namespace.links.values()].filter(({ link }) => link.up && portOf(link)?.master === name);
}
