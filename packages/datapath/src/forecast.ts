import {
  assertNever,
  type Family,
  family,
  familyOf,
  type InterfaceAddress,
  type Ip,
  type Mac,
  minimumMtu,
} from '@causeway/model';
import { portOf } from './compare.ts';
import { type Draft, draftOf, newNamespace } from './draft.ts';
import type { LinkChange, Op } from './op.ts';
import {
  type Bridge,
  type BridgePort,
  interfaceOf,
  type Link,
  type NetnsPath,
  type State,
  type Veth,
  type Vxlan,
} from './state.ts';

/**
 * What the kernel will hold after ops on namespaces, links and addresses: all that it drops by itself when one of them
 * goes or changes.
 * The plan compares the rest with this instead of what was read, so one pass puts everything back.
 */
export function forecast(actual: State, ops: readonly Op[]): State {
  if (ops.length === 0) return actual;
  const state = draftOf(actual);
  for (const op of ops) foresee(state, op);
  return state;
}

function foresee(state: Map<NetnsPath, Draft>, op: Op): void {
  const namespace = state.get(op.netns);
  switch (op.op) {
    case 'netns.add':
      state.set(op.netns, newNamespace());
      return;
    case 'netns.delete':
      state.delete(op.netns);
      return;
    case 'link.add':
      if (namespace !== undefined) addLink(state, namespace, op.link);
      return;
    case 'link.delete':
      if (namespace !== undefined) removeLink(namespace, op.name);
      return;
    case 'link.set':
      if (namespace !== undefined) changeLink(namespace, op.name, op.change);
      return;
    case 'address.add':
      namespace?.addresses.set(op.dev, new Set([...(namespace.addresses.get(op.dev) ?? []), op.address]));
      return;
    case 'address.delete':
      if (namespace !== undefined) removeAddress(namespace, op.dev, op.address);
      return;
    case 'sysctl.set':
    case 'route.set':
    case 'route.delete':
    case 'neighbour.set':
    case 'neighbour.delete':
    case 'fdb.set':
    case 'fdb.delete':
      return;
    default:
      assertNever(op);
  }
}

function addLink(state: Map<NetnsPath, Draft>, namespace: Draft, link: Bridge | Vxlan | Veth): void {
  const port = portOf(link);
  namespace.links.set(link.name, port ? withPort(link, newPort(port.master)) : link);
  if (link.kind !== 'veth' || link.peer === undefined) return;
  const { netns, name, mac, mtu } = link.peer;
  state.get(netns)?.links.set(name, { kind: 'veth', name, mac, mtu, up: false });
}

/** What a link is as a port until told otherwise. */
function newPort(master: string): BridgePort {
  return { master, learning: true, flood: true };
}

function removeLink(namespace: Draft, name: string): void {
  namespace.links.delete(name);
  namespace.addresses.delete(name);
  namespace.neighbours.delete(name);
  namespace.fdb.delete(name);
  for (const [dst, { dev }] of namespace.routes) if (dev === name) namespace.routes.delete(dst);
  for (const key of namespace.sysctls.keys()) if (interfaceOf(key) === name) namespace.sysctls.delete(key);
  for (const link of namespace.links.values()) if (portOf(link)?.master === name) leaveBridge(namespace, link);
}

function changeLink(namespace: Draft, name: string, change: LinkChange): void {
  const link = namespace.links.get(name);
  if (link === undefined) return;
  if (change.mac !== undefined && change.mac !== link.mac) namespace.neighbours.delete(name);
  if (change.mtu !== undefined && change.mtu < minimumMtu) dropIpv6(namespace, name);
  const { bridgePort, ...own } = change;
  if (bridgePort !== undefined && bridgePort.master !== portOf(link)?.master) leaveBridge(namespace, link);
  namespace.links.set(name, withPort({ ...link, ...own } as Link, bridgePort ?? portOf(link)));
}

/** The bridge forgets the port, and its static entries. */
function leaveBridge(namespace: Draft, link: Link): void {
  namespace.links.set(link.name, withPort(link, undefined));
  if (link.kind !== 'vxlan') namespace.fdb.delete(link.name);
}

function withPort(link: Link, bridgePort: BridgePort | undefined): Link {
  if (link.kind !== 'vxlan' && link.kind !== 'veth') return link;
  const { bridgePort: _, ...rest } = link;
  return bridgePort === undefined ? rest : { ...rest, bridgePort };
}

/** Without an IPv4 address a link has no IPv4 any more (fib_disable_ip): its routes and neighbours go. */
function removeAddress(namespace: Draft, dev: string, address: InterfaceAddress): void {
  const left = [...(namespace.addresses.get(dev) ?? [])].filter((each) => each !== address);
  namespace.addresses.set(dev, new Set(left));
  if (familyOf(address) === 4 && !left.some((each) => familyOf(each) === 4)) dropFamily(namespace, dev, 4);
}

/** Below the minimum MTU a link has no IPv6. */
function dropIpv6(namespace: Draft, dev: string): void {
  const addresses = [...(namespace.addresses.get(dev) ?? [])];
  namespace.addresses.set(dev, new Set(addresses.filter((address) => familyOf(address) === 4)));
  dropFamily(namespace, dev, 6);
  for (const key of namespace.sysctls.keys()) {
    if (interfaceOf(key) === dev && key.startsWith('net.ipv6.')) namespace.sysctls.delete(key);
  }
}

function dropFamily(namespace: Draft, dev: string, of: Family): void {
  const neighbours = [...(namespace.neighbours.get(dev) ?? new Map<Ip, Mac>())];
  namespace.neighbours.set(dev, new Map(neighbours.filter(([ip]) => family(ip) !== of)));
  for (const [dst, route] of namespace.routes) {
    if (route.dev === dev && familyOf(dst) === of) namespace.routes.delete(dst);
  }
}
