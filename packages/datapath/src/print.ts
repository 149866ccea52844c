import { assertNever, familyOf, type InterfaceAddress, type Prefix } from '@causeway/model';
import type { LinkChange, Op } from './op.ts';
import type { Bridge, BridgePort, FdbTarget, Link, NetnsPath, Route, State, Veth, Vxlan } from './state.ts';

/** The command the op equals, for people to read, and to type. */
export function printOp(op: Op): string {
  const ip = tool('ip', op.netns);
  const bridge = tool('bridge', op.netns);
  switch (op.op) {
    case 'netns.add':
      return `ip netns add ${nameOf(op.netns)}`;
    case 'netns.delete':
      return `ip netns delete ${nameOf(op.netns)}`;
    case 'sysctl.set':
      return `${inside(op.netns)}sysctl -w ${op.key}=${op.value}`;
    case 'link.add':
      return `${ip} link add ${printNewLink(op.link)}`;
    case 'link.set':
      return printChange(op.netns, op.name, op.change);
    case 'link.delete':
      return `${ip} link delete dev ${op.name}`;
    case 'address.add':
      return `${ip} address add ${op.address} dev ${op.dev}${nodad(op.address)}`;
    case 'address.delete':
      return `${ip} address delete ${op.address} dev ${op.dev}`;
    case 'route.set':
      return `${ip}${v6(op.route.dst)} route replace ${printRoute(op.route)}`;
    case 'route.delete':
      return `${ip}${v6(op.route.dst)} route delete ${printRoute(op.route)}`;
    case 'neighbour.set':
      return `${ip} neighbour replace ${op.ip} lladdr ${op.mac} dev ${op.dev} nud permanent`;
    case 'neighbour.delete':
      return `${ip} neighbour delete ${op.ip} dev ${op.dev}`;
    case 'fdb.set':
      return `${bridge} fdb replace ${op.mac} dev ${op.dev} ${op.target === 'port' ? 'master static' : `self dst ${op.target}`}`;
    case 'fdb.delete':
      return targets(op.target)
        .map(
          (target) =>
            `${bridge} fdb delete ${op.mac} dev ${op.dev} ${target === 'port' ? 'master' : `self dst ${target}`}`,
        )
        .join(' && ');
    default:
      return assertNever(op);
  }
}

/** A state as text, one thing a line, in order of names: for golden files and for people. */
export function printState(state: State): string {
  return [...state]
    .sort(byKey)
    .flatMap(([netns, { links, addresses, routes, neighbours, fdb, sysctls }]) => [
      netns,
      ...[...links].sort(byKey).map(([, link]) => `  link ${printLink(link)}`),
      ...perLink(addresses, (dev, of) => [...of].map((address) => `  address ${dev} ${address}`)),
      ...[...routes].sort(byKey).map(([, route]) => `  route ${printRoute(route)}`),
      ...perLink(fdb, (dev, of) => [...of].map(([mac, target]) => `  fdb ${dev} ${mac} ${targets(target).join(' ')}`)),
      ...perLink(neighbours, (dev, of) => [...of].map(([ip, mac]) => `  neighbour ${dev} ${ip} ${mac}`)),
      ...[...sysctls].sort(byKey).map(([key, value]) => `  sysctl ${key} = ${value}`),
    ])
    .join('\n');
}

/** Its properties in words, each standing for itself: "mtu 1450". */
export function linkWords(link: Link): string[] {
  const words = [link.kind, `address ${link.mac}`, `mtu ${link.mtu}`, link.up ? 'up' : 'down'];
  if (link.kind === 'vxlan') words.push(`id ${link.vni}`, `dstport ${link.port}`, `local ${link.local}`);
  return words;
}

export function printPort(port: BridgePort): string {
  return `master ${port.master} ${printFlags(port)}`;
}

export function printRoute(route: Route): string {
  const dst = route.dst.endsWith('/0') ? 'default' : route.dst;
  const via = route.gateway === undefined ? '' : ` via ${route.gateway}`;
  return `${dst}${via} dev ${route.dev} metric ${route.metric}`;
}

export function targets(target: FdbTarget): readonly string[] {
  return typeof target === 'string' ? [target] : target;
}

function printLink(link: Link): string {
  const words = [link.name, ...linkWords(link)];
  if ('bridgePort' in link && link.bridgePort !== undefined) words.push(printPort(link.bridgePort));
  if (link.kind === 'veth' && link.peer !== undefined) words.push(`peer ${link.peer.name} in ${link.peer.netns}`);
  return words.join(' ');
}

function printNewLink(link: Bridge | Vxlan | Veth): string {
  const words = [`name ${link.name} address ${link.mac} mtu ${link.mtu}`];
  if ('bridgePort' in link && link.bridgePort !== undefined) words.push(`master ${link.bridgePort.master}`);
  if (link.up) words.push('up');
  words.push(`type ${link.kind}`);
  if (link.kind === 'bridge') words.push('forward_delay 0');
  if (link.kind === 'vxlan') words.push(`id ${link.vni} dstport ${link.port} local ${link.local} nolearning proxy`);
  if (link.kind === 'veth' && link.peer !== undefined) {
    const { name, mac, mtu, netns } = link.peer;
    words.push(`peer name ${name} address ${mac} mtu ${mtu} netns ${nameOf(netns)}`);
  }
  return words.join(' ');
}

function printChange(netns: NetnsPath, name: string, { mac, mtu, up, bridgePort, local }: LinkChange): string {
  const words: string[] = [];
  if (mac !== undefined) words.push(`address ${mac}`);
  if (mtu !== undefined) words.push(`mtu ${mtu}`);
  if (bridgePort !== undefined) words.push(`master ${bridgePort.master}`);
  if (up !== undefined) words.push(up ? 'up' : 'down');
  if (local !== undefined) words.push(`type vxlan local ${local}`);
  const commands = [`${tool('ip', netns)} link set dev ${name} ${words.join(' ')}`];
  if (bridgePort !== undefined) {
    commands.push(`${tool('bridge', netns)} link set dev ${name} ${printFlags(bridgePort)}`);
  }
  return commands.join(' && ');
}

function printFlags({ learning, flood }: BridgePort): string {
  return `learning ${learning ? 'on' : 'off'} flood ${flood ? 'on' : 'off'}`;
}

/** `ip -n NAME` knows names below /run/netns only; elsewhere one must go there. */
function tool(name: 'ip' | 'bridge', netns: NetnsPath): string {
  if (netns === '') return name;
  return named(netns) ? `${name} -n ${nameOf(netns)}` : `${inside(netns)}${name}`;
}

function inside(netns: NetnsPath): string {
  if (netns === '') return '';
  return named(netns) ? `ip netns exec ${nameOf(netns)} ` : `nsenter --net=${netns} `;
}

function named(netns: NetnsPath): boolean {
  return /^(\/var)?\/run\/netns\/[^/]+$/.test(netns);
}

function nameOf(netns: NetnsPath): string {
  return named(netns) ? netns.slice(netns.lastIndexOf('/') + 1) : netns;
}

/** A word for `ip route`, which takes IPv6's default only when told the family. */
function v6(dst: Prefix): string {
  return familyOf(dst) === 6 ? ' -6' : '';
}

/** Addresses are unique by allocation: waiting a second for nobody to object would only delay the container. */
function nodad(address: InterfaceAddress): string {
  return familyOf(address) === 6 ? ' nodad' : '';
}

function perLink<Of>(byLink: ReadonlyMap<string, Of>, lines: (dev: string, of: Of) => string[]): string[] {
  return [...byLink].sort(byKey).flatMap(([dev, of]) => lines(dev, of).sort());
}

function byKey(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : 1;
}
