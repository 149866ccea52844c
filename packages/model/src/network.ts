import type { Name, NetworkId } from './id.ts';
import type { Ip } from './ip.ts';
import type { Labels } from './labels.ts';
import type { Prefix } from './prefix.ts';
import type { Vni } from './vni.ts';

export interface Subnet {
  readonly prefix: Prefix;
  /** On every host's bridge, with one MAC (anycast). Absent: the subnet has none. */
  readonly gateway?: Ip;
  /** Where automatic addresses come from, disjoint; absent: the whole subnet. An address asked for may lie elsewhere in it. */
  readonly ranges?: readonly Prefix[];
  /** Addresses that something outside the cluster holds, by name: never given. Absent: none. */
  readonly auxAddresses?: Readonly<Record<string, Ip>>;
}

const drivers = ['overlay'] as const;

/** How a network's frames travel. */
export type Driver = (typeof drivers)[number];

/** The name of a driver that only a later version knows: the network is kept as it was told, and nothing is built of it. */
export type UnknownDriver = string & { readonly unknownDriver: true };

export function isDriver(text: string): text is Driver {
  return (drivers as readonly string[]).includes(text);
}

/** The MTU inside the overlay, in bytes: derived from the hosts' underlays, or asked for. */
export interface Mtu {
  readonly kind: 'automatic' | 'fixed';
  readonly bytes: number;
  /** What it was at its largest, which a host may still have; absent: it was never more. */
  readonly highest?: number;
}

/** Intent, as the store keeps it. The address space isolates prefixes: within one, subnets never overlap. */
export interface Network {
  readonly id: NetworkId;
  readonly name: Name;
  readonly addressSpace: Name;
  readonly driver: Driver | UnknownDriver;
  /** No way out of the network: its subnets have no gateway, its containers no default route. */
  readonly internal: boolean;
  readonly vni: Vni;
  readonly mtu: Mtu;
  readonly subnets: readonly Subnet[];
  readonly labels: Labels;
  /** Unix time, milliseconds; absent: its record is from before this was kept. */
  readonly createdAt?: number;
}

/** Bytes that VXLAN puts around an inner Ethernet frame, outer IP header to inner Ethernet header (RFC 7348 §5). */
export const vxlanOverhead = { 4: 50, 6: 70 } as const;

/** RFC 8200 §5: a link that carries IPv6 has at least this MTU. */
export const minimumMtu = 1280;

/** Name of a network's namespace on the hosts that have it, as `ip netns` takes it: ten digits of the id name it well enough. */
export function networkNamespace(id: NetworkId): string {
  return `cw-${id.slice(0, 10)}`;
}
