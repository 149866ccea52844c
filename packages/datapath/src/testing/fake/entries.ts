import {
  addressOf,
  contains,
  family,
  familyOf,
  type InterfaceAddress,
  type Ip,
  isGroup,
  type Mac,
  minimumMtu,
  prefixOf,
} from '@causeway/model';
import type { FdbTarget, Route } from '../../state.ts';
import { type FakeLink, type FakeNamespace, findLink, masterOf, Refusal, removeRoutes } from './host.ts';

/** ip address add */
export function addAddress(namespace: FakeNamespace, dev: string, address: InterfaceAddress): void {
  const { link, addresses } = findLink(namespace, dev);
  if (familyOf(address) === 6 && link.mtu < minimumMtu) throw new Refusal('EINVAL', 'no IPv6 on this link');
  if (addresses.has(address)) throw new Refusal('EEXIST', 'Address already assigned');
  addresses.add(address);
}

/**
 * ip address del: without promote_secondaries an IPv4 subnet's first address takes the others along; the last IPv4
 * address of a link takes its IPv4 routes and neighbours along.
 */
export function deleteAddress(namespace: FakeNamespace, dev: string, address: InterfaceAddress): void {
  const { addresses, neighbours } = namespace.links.get(dev) ?? {};
  if (addresses?.has(address) !== true || neighbours === undefined) return;
  const subnet = prefixOf(address);
  const sameSubnet = [...addresses].filter((each) => familyOf(each) === 4 && prefixOf(each) === subnet);
  const promote = namespace.sysctls.get('net.ipv4.conf.all.promote_secondaries') === '1';
  addresses.delete(address);
  if (sameSubnet[0] === address && !promote) for (const secondary of sameSubnet) addresses.delete(secondary);
  if (familyOf(address) === 4 && ![...addresses].some((each) => familyOf(each) === 4)) {
    removeRoutes(namespace, (route) => route.dev === dev && familyOf(route.dst) === 4);
    for (const ip of neighbours.keys()) if (family(ip) === 4) neighbours.delete(ip);
  }
}

/** ip route replace */
export function setRoute(namespace: FakeNamespace, route: Route): void {
  const { link, addresses } = findLink(namespace, route.dev);
  const { gateway } = route;
  const reachable = link.up && [...addresses].some((each) => gateway && contains(prefixOf(each), gateway));
  if (gateway !== undefined && !reachable) {
    throw family(gateway) === 4
      ? new Refusal('ENETUNREACH', 'Nexthop has invalid gateway')
      : new Refusal('EHOSTUNREACH', 'No route to host');
  }
  if (!link.up) throw new Refusal('ENETDOWN', 'Device for nexthop is not up');
  removeRoutes(namespace, (each) => each.dst === route.dst && each.metric === route.metric);
  namespace.routes.push(route);
}

/** ip route del */
export function deleteRoute(namespace: FakeNamespace, route: Route): void {
  removeRoutes(namespace, (each) => each.dst === route.dst && each.metric === route.metric && each.dev === route.dev);
}

/** ip neighbour replace … nud permanent */
export function setNeighbour(namespace: FakeNamespace, dev: string, ip: Ip, mac: Mac): void {
  findLink(namespace, dev).neighbours.set(ip, mac);
}

/** bridge fdb replace */
export function setFdb(namespace: FakeNamespace, dev: string, mac: Mac, target: 'port' | Ip): void {
  const found = findLink(namespace, dev);
  if (target === 'port') {
    if (masterOf(found.link) === undefined) throw new Refusal('EOPNOTSUPP', `${dev} is not a port of a bridge`);
    found.ports.add(mac);
    return;
  }
  checkTunnel(found, target);
  if (isGroup(mac)) throw new Refusal('EOPNOTSUPP', 'Cannot replace non-unicast fdb entries');
  found.tunnels.set(mac, [target]);
}

/** bridge fdb append: what we never do. A unicast MAC silently keeps the VTEP it has. */
export function appendFdb(namespace: FakeNamespace, dev: string, mac: Mac, vtep: Ip): void {
  const found = findLink(namespace, dev);
  checkTunnel(found, vtep);
  const vteps = found.tunnels.get(mac) ?? [];
  if (vteps.length === 0 || (isGroup(mac) && !vteps.includes(vtep))) found.tunnels.set(mac, [...vteps, vtep]);
}

/** bridge fdb del */
export function deleteFdb(namespace: FakeNamespace, dev: string, mac: Mac, target: FdbTarget): void {
  const found = namespace.links.get(dev);
  if (target === 'port') {
    found?.ports.delete(mac);
    return;
  }
  const vteps = found?.tunnels.get(mac) ?? [];
  const left = vteps.filter((vtep) => !(typeof target === 'string' ? [target] : target).includes(vtep));
  if (left.length === 0) found?.tunnels.delete(mac);
  else found?.tunnels.set(mac, left);
}

/** The address a link answers for, in text without its length. */
export function hasAddress(link: FakeLink, ip: Ip): boolean {
  return [...link.addresses].some((address) => addressOf(address) === ip);
}

function checkTunnel(found: FakeLink, vtep: Ip): void {
  if (found.link.kind !== 'vxlan') throw new Refusal('EOPNOTSUPP', `${found.link.name} is not a vxlan device`);
  if (family(found.link.local) !== family(vtep)) {
    throw new Refusal('EAFNOSUPPORT', 'Address family not supported by protocol');
  }
}
