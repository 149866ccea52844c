import { Ip, interfaceAddress, Mac, Prefix, type Vni } from '@causeway/model';
import type { Kernel, OpResult, ReadScope } from '../../kernel.ts';
import type { Bridge, BridgePort, Link, Veth, Vxlan } from '../../kinds/link/link.ts';
import type { Namespace, Op } from '../../kinds/table.ts';
import type { NetnsPath } from '../../state.ts';

/** A kernel, and what a test may do to it without its knowledge. Made for each case; `dispose` cleans up after the case. */
export interface ContractHost {
  readonly kernel: Kernel;
  /** An IPv4 address of a device in the host namespace. */
  readonly underlay: Ip;
  /** Whether the kernel can make SAs of ESP with AES-GCM. */
  readonly hasEsp: boolean;
  /** A path at which nothing is mounted yet. Its file name begins with "cw-test". */
  freshPath(): NetnsPath;
  /** A VNI that nothing else on this machine uses. */
  freshVni(): Vni;
  /** Makes an empty namespace, as a container runtime does. */
  containerNetns(): Promise<NetnsPath>;
  /** Unmounts and removes a namespace, as a container runtime does. */
  destroy(netns: NetnsPath): Promise<void>;
  /** Another path to the namespace, which stays after the first path is removed: a bind mount. */
  alias(netns: NetnsPath): Promise<NetnsPath>;
  /** Another process carries out the ops, which must all succeed. */
  foreign(...ops: readonly Op[]): Promise<void>;
  /** Another program makes a link in the host namespace, in this device group (default 0). */
  foreignLink(name: string, group?: number): Promise<void>;
  /** Another program opens a UDP socket at the port of ESP in UDP in the host namespace. Returns what closes the socket. */
  foreignSocket(address: Ip): Promise<() => void>;
  /** `ip link set NAME netns TO`, by another process. */
  moveLink(netns: NetnsPath, name: string, to: NetnsPath): Promise<void>;
  /** `bridge fdb append MAC dev DEV self dst VTEP` inside the namespace. */
  appendFdb(netns: NetnsPath, dev: string, mac: Mac, vtep: Ip): Promise<void>;
  /**
   * A program in the namespace sends to the address, which has no neighbour entry yet. Resolves when the kernel has asked
   * for the address, and the packet waits for the answer.
   */
  ask(netns: NetnsPath, dev: string, ip: Ip): Promise<void>;
  /** The MAC of the link's neighbour entry, permanent or not; undefined: there is no entry, or the MAC is not known yet. */
  resolved(netns: NetnsPath, dev: string, ip: Ip): Promise<Mac | undefined>;
  /** Waits until the condition holds; throws if it does not. */
  until(holds: () => boolean | Promise<boolean>): Promise<void>;
  /** Removes all that the case made, and closes the kernel. */
  dispose(): Promise<void>;
}

export interface ContractCase {
  readonly name: string;
  run(host: ContractHost): Promise<void>;
}

/** Destination port of the cases' vxlan devices. Not 4789, so that they never meet a real overlay. */
export const contractPort = 14789;

export const macs = {
  bridge: Mac('02:45:00:00:00:01'),
  vxlan: Mac('02:44:00:00:00:01'),
  hostEnd: Mac('02:46:00:00:00:01'),
  container: Mac('02:42:0a:42:00:09'),
  peer: Mac('02:42:0a:42:00:0a'),
} as const;

export const v4 = { dst: Prefix('0.0.0.0/0'), gateway: Ip('10.66.0.1') } as const;
export const v6 = { dst: Prefix('::/0'), gateway: Ip('fd66::1') } as const;
export const container4 = interfaceAddress(Ip('10.66.0.9'), 16);
export const container6 = interfaceAddress(Ip('fd66::9'), 64);

export function bridge(over: Partial<Bridge> = {}): Bridge {
  return { kind: 'bridge', name: 'br0', mac: macs.bridge, mtu: 1450, up: true, ...over };
}

export function vxlan(host: ContractHost, over: Partial<Vxlan> = {}): Vxlan {
  const tunnel = { vni: host.freshVni(), port: contractPort, local: host.underlay };
  return { kind: 'vxlan', name: 'vxlan0', mac: macs.vxlan, mtu: 1450, up: true, ...tunnel, ...over };
}

export function pair(container: NetnsPath, over: Partial<Veth> = {}): Veth {
  const peer = { netns: container, name: 'eth0', mac: macs.container, mtu: 1450 };
  return { kind: 'veth', name: 'v1', mac: macs.hostEnd, mtu: 1450, up: true, peer, ...over };
}

/** A bridge port as the kernel makes it. */
export const newPort: BridgePort = { master: 'br0', learning: true, flood: true };
/** A container's port as we set it. */
export const quietPort: BridgePort = { master: 'br0', learning: false, flood: false };

/** Applies ops that must all succeed. */
export async function must(host: ContractHost, ...ops: readonly Op[]): Promise<void> {
  for (const [index, result] of (await host.kernel.apply(ops)).entries()) {
    if (!result.ok) throw new Error(`${ops[index]?.op} failed: ${result.errno} ${result.message}`);
  }
}

/** The errno of the op if it fails, or "ok". */
export async function outcome(host: ContractHost, op: Op): Promise<string> {
  const [result] = await host.kernel.apply([op]);
  return result === undefined ? 'no result' : errnoOf(result);
}

export function errnoOf(result: OpResult): string {
  return result.ok ? 'ok' : result.errno;
}

export async function read(host: ContractHost, netns: NetnsPath, scope: Partial<ReadScope> = {}): Promise<Namespace> {
  const found = await host.kernel.read(netns, { sysctls: [], ...scope });
  if (found === undefined) throw new Error(`no namespace at ${netns}`);
  return {
    ...found,
    addresses: withoutEmpty(found.addresses),
    neighbours: withoutEmpty(found.neighbours),
    fdb: withoutEmpty(found.fdb),
  };
}

/** Absent and empty mean the same. */
function withoutEmpty<Value extends { readonly size: number }>(byLink: ReadonlyMap<string, Value>): Map<string, Value> {
  return new Map([...byLink].filter(([, of]) => of.size > 0));
}

export async function link(host: ContractHost, netns: NetnsPath, name: string): Promise<Link | undefined> {
  return (await read(host, netns)).links.get(name);
}

/** A namespace with br0, vxlan0 and one container's pair in it, every link up. */
export async function overlay(host: ContractHost): Promise<{ netns: NetnsPath; container: NetnsPath }> {
  const netns = host.freshPath();
  const container = await host.containerNetns();
  await must(
    host,
    { op: 'netns.add', netns },
    { op: 'link.add', netns, link: bridge() },
    { op: 'link.add', netns, link: vxlan(host, { bridgePort: newPort }) },
    { op: 'link.add', netns, link: pair(container, { bridgePort: quietPort }) },
    { op: 'link.set', netns, name: 'v1', change: { bridgePort: quietPort } },
    { op: 'link.set', netns: container, name: 'eth0', change: { up: true } },
  );
  return { netns, container };
}

/** Compares maps, sets and records by value; throws with both sides printed. */
export function same(actual: unknown, expected: unknown, what: string): void {
  const [a, b] = [show(actual), show(expected)];
  if (a !== b) throw new Error(`${what}\n  expected ${b}\n  found    ${a}`);
}

function show(value: unknown): string {
  if (value instanceof Map) return `{${[...value].map(([key, of]) => `${key}: ${show(of)}`).sort()}}`;
  if (value instanceof Set || Array.isArray(value)) return `[${[...value].map(show).sort()}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).filter(([, of]) => of !== undefined);
    return `{${fields.map(([key, of]) => `${key}: ${show(of)}`).sort()}}`;
  }
  return String(value);
}
