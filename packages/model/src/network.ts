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

/** The MTU inside the overlay, in bytes: derived from the hosts' underlays, or asked for. */
export interface Mtu {
  readonly kind: 'automatic' | 'fixed';
  readonly bytes: number;
  /** What it was at its largest, which a host may still have; absent: it was never more. */
  readonly highest?: number;
}

/** What every network is, whatever its driver. The address space isolates prefixes: within one, subnets never overlap. */
interface AnyDriverNetwork {
  readonly id: NetworkId;
  readonly name: Name;
  readonly addressSpace: Name;
  /** No way out of the network: its subnets have no gateway, its containers no default route. */
  readonly internal: boolean;
  readonly mtu: Mtu;
  readonly subnets: readonly Subnet[];
  readonly labels: Labels;
  /** Unix time, milliseconds; absent: its record is from before this was kept. */
  readonly createdAt?: number;
}

/** Frames travel between hosts in VXLAN. */
export interface OverlayNetwork extends AnyDriverNetwork {
  readonly driver: 'overlay';
  readonly vni: Vni;
}

/** Intent, as the store keeps it: one member for each driver, which says how the network's frames travel. */
export type Network = OverlayNetwork;
export type Driver = Network['driver'];

/** The name of a driver that only a later version knows. */
export type UnknownDriver = string & { readonly unknownDriver: true };

/** A network of such a driver, as a host keeps it: it is named and kept as it was sent, and nothing is built of it. */
export interface UnknownNetwork extends AnyDriverNetwork {
  readonly driver: UnknownDriver;
  /** As it was sent, 0 when it was not: the digest of feed versions 1 and 2 covers it, whatever the driver. */
  readonly sentVni: number;
}

/** What a manager may send. */
export type SentNetwork = Network | UnknownNetwork;

const drivers: Readonly<Record<Driver, true>> = { overlay: true };

export function isDriver(text: string): text is Driver {
  return Object.hasOwn(drivers, text);
}

/** Whether this version knows the network's driver. */
export function isKnown(network: SentNetwork): network is Network {
  return isDriver(network.driver);
}

/** Bytes that VXLAN puts around an inner Ethernet frame, outer IP header to inner Ethernet header (RFC 7348 §5). */
export const vxlanOverhead = { 4: 50, 6: 70 } as const;

/** RFC 8200 §5: a link that carries IPv6 has at least this MTU. */
export const minimumMtu = 1280;

/** Name of a network's namespace on the hosts that have it, as `ip netns` takes it: ten digits of the id name it well enough. */
export function networkNamespace(id: NetworkId): string {
  return `cw-${id.slice(0, 10)}`;
}
