import { type Digests, hash64 } from './digest.ts';
import type { Name, NetworkId } from './id.ts';
import type { Ip } from './ip.ts';
import type { Labels } from './labels.ts';
import type { Prefix } from './prefix.ts';
import type { Vni } from './vni.ts';

export interface Subnet {
  readonly prefix: Prefix;
  /** The gateway is on every host's bridge, with the same MAC (anycast). Absent: the subnet has no gateway. */
  readonly gateway?: Ip;
  /**
   * Disjoint ranges from which automatic addresses are chosen; absent: the whole subnet. A requested address may be
   * outside the ranges.
   */
  readonly ranges?: readonly Prefix[];
  /** By name: addresses that something outside the cluster uses. They are never given. Absent: none. */
  readonly auxAddresses?: Readonly<Record<string, Ip>>;
}

/** The MTU inside the overlay, bytes: derived from the hosts' underlays, or set by the operator. */
export interface Mtu {
  readonly kind: 'automatic' | 'fixed';
  readonly bytes: number;
  /** The largest value that it had, which a host may still use; absent: it was never larger. */
  readonly highest?: number;
}

/** What all networks have, whatever their driver. Within one address space, subnets never overlap. */
interface AnyDriverNetwork {
  readonly id: NetworkId;
  readonly name: Name;
  readonly addressSpace: Name;
  /** Nothing leaves the network: its subnets have no gateway, its containers no default route. */
  readonly internal: boolean;
  readonly mtu: Mtu;
  readonly subnets: readonly Subnet[];
  readonly labels: Labels;
  /** Absent: the driver stays as it is. */
  readonly change?: DriverChange;
  /** Unix time, ms; absent: the record is older than this field. */
  readonly createdAt?: number;
}

/** Frames travel between hosts in VXLAN. */
export interface OverlayNetwork extends AnyDriverNetwork {
  readonly driver: 'overlay';
  readonly vni: Vni;
}

/**
 * Frames travel between hosts in VXLAN, and VXLAN only in ESP. It is a driver of its own, so that a manager or an agent that
 * does not know it leaves the network alone. As a property of `overlay`, such an agent would send the frames in the clear.
 */
export interface EncryptedOverlayNetwork extends AnyDriverNetwork {
  readonly driver: 'encrypted-overlay';
  readonly vni: Vni;
}

/**
 * A network that is about to be encrypted, or not to be any more. Its hosts receive in both ways. With `dual-overlay` they send in
 * VXLAN, with `dual-encrypted-overlay` in VXLAN inside ESP. See docs/decisions/0032-encryption-in-use.md.
 */
export interface DualOverlayNetwork extends AnyDriverNetwork {
  readonly driver: 'dual-overlay' | 'dual-encrypted-overlay';
  readonly vni: Vni;
}

/** A network as the store keeps it. Its driver says how frames travel. */
export type Network = OverlayNetwork | EncryptedOverlayNetwork | DualOverlayNetwork;
export type Driver = Network['driver'];

/** The name of a driver that only a later version knows. */
export type UnknownDriver = string & { readonly unknownDriver: true };

/** A network with such a driver, as a host keeps it: it is named and kept as it was sent, and nothing is built for it. */
export interface UnknownNetwork extends AnyDriverNetwork {
  readonly driver: UnknownDriver;
  /** The VNI as it was sent; 0 when none was sent. The digests of feed versions 1 and 2 cover it, whatever the driver. */
  readonly sentVni: number;
}

/** A network that a manager can send. */
export type SentNetwork = Network | UnknownNetwork;

/** A driver that a network keeps. It has the others only while it changes. */
export type SteadyDriver = 'overlay' | 'encrypted-overlay';

/** How the driver of a network changes. */
export interface DriverChange {
  readonly to: SteadyDriver;
  /** The network has had both dual drivers since the change began: some hosts may still send as the other one says. */
  readonly hasCrossed: boolean;
}

const drivers: Readonly<Record<Driver, true>> = {
  overlay: true,
  'dual-overlay': true,
  'dual-encrypted-overlay': true,
  'encrypted-overlay': true,
};

export function isDriver(text: string): text is Driver {
  return Object.hasOwn(drivers, text);
}

/** Whether this version knows the network's driver. */
export function isKnown(network: SentNetwork): network is Network {
  return isDriver(network.driver);
}

/** Whether hosts need ESP for the network: they send or receive with it, or are about to. */
export function usesEsp({ driver }: Pick<SentNetwork, 'driver'>): boolean {
  return isDriver(driver) && driver !== 'overlay';
}

/**
 * Bytes that VXLAN adds to an inner packet, from the outer IP header to the inner Ethernet header (RFC 7348 §5), by IP
 * family of the underlay.
 */
export const vxlanOverhead = { 4: 50, 6: 70 } as const;

/**
 * The largest inner packet that a host can send without fragments. ESP in transport mode encrypts everything after the outer IP
 * header (RFC 4106, RFC 4303 §2): it adds 8 bytes of header, 8 of IV and 16 of ICV; what is encrypted, with two bytes at its end,
 * has a multiple of 4 bytes. ESP in UDP adds a UDP header before that of ESP (RFC 3948).
 */
export function roomInside(driver: Driver, underlayMtu: number, underlay: 4 | 6, isInUdp = false): number {
  if (!usesEsp({ driver })) return underlayMtu - vxlanOverhead[underlay];
  const outerIp = underlay === 4 ? 20 : 40;
  const outer = outerIp + (isInUdp ? 8 : 0);
  const encrypted = Math.floor((underlayMtu - outer - 8 - 8 - 16) / 4) * 4;
  return encrypted - 2 - (vxlanOverhead[underlay] - outerIp);
}

/** UDP port of VXLAN in encrypted networks. Outside ESP no host sends it or accepts it. */
export const encryptedVxlanPort = 4793;

/** UDP port of ESP in UDP (RFC 3948 §2.1). */
export const encapPort = 4500;

/** RFC 8200 §5: a link that carries IPv6 has at least this MTU. */
export const minimumMtu = 1280;

/** Name of the network's namespace on its hosts, as `ip netns` accepts it. Ten digits of the id are enough. */
export function networkNamespace(id: NetworkId): string {
  return `cw-${id.slice(0, 10)}`;
}

/** What the digest covers of the network itself. Rows have digests of their own. */
export const networkDigests: Digests<SentNetwork> = {
  1: (network) => {
    const { id, name, mtu, subnets } = network;
    return hash64([id, name, sentVniOf(network), mtu.bytes, subnetsText(subnets)].join('|'));
  },
  // Adds the driver and whether the network is internal.
  2: (network, version) => {
    const { id, name, driver, internal, mtu, subnets } = network;
    // The version comes first, so that a table never has the same digest in two versions.
    return hash64([version, id, name, driver, internal, sentVniOf(network), mtu.bytes, subnetsText(subnets)].join('|'));
  },
};

/** The VNI as it is sent, whatever the driver. A network without a VNI is sent with 0. */
function sentVniOf(network: SentNetwork): number {
  return isKnown(network) ? network.vni : network.sentVni;
}

function subnetsText(subnets: Network['subnets']): string {
  return subnets.map(({ prefix, gateway }) => `${prefix}@${gateway ?? ''}`).join(',');
}
