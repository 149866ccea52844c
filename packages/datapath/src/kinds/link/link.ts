import type { Ip, Mac, Vni } from '@causeway/model';
import type { NetnsPath } from '../../state.ts';
import { by, isSame, type Same } from '../equal.ts';

interface LinkBase {
  /** At most 15 bytes, no "/", ":" or white space. */
  readonly name: string;
  readonly mac: Mac;
  /** Bytes. */
  readonly mtu: number;
  readonly up: boolean;
}

export interface BridgePort {
  /** Name of the bridge. */
  readonly master: string;
  /** Learn MACs from frames that come in (IFLA_BRPORT_LEARNING). */
  readonly learning: boolean;
  /** Send frames for unknown MACs out here (IFLA_BRPORT_UNICAST_FLOOD). */
  readonly flood: boolean;
}

export interface Bridge extends LinkBase {
  readonly kind: 'bridge';
}

/** Made with nolearning and proxy, without L2MISS and L3MISS. Its UDP socket is in the host namespace. */
export interface Vxlan extends LinkBase {
  readonly kind: 'vxlan';
  readonly vni: Vni;
  /** UDP destination port. */
  readonly port: number;
  /** UDP source port; absent: one for each flow, of those that the host has for outgoing connections. */
  readonly sourcePort?: number;
  /** Source address of the tunnel. */
  readonly local: Ip;
  readonly bridgePort?: BridgePort;
}

/** One end of a veth pair. The other end is a link of the namespace in `peer`, and is desired there. */
export interface Veth extends LinkBase {
  readonly kind: 'veth';
  readonly bridgePort?: BridgePort;
  /** The other end. Only on the desired end that makes the pair: absent on the container's end and on found links. */
  readonly peer?: VethPeer;
}

export interface VethPeer {
  readonly netns: NetnsPath;
  readonly name: string;
  readonly mac: Mac;
  readonly mtu: number;
}

/** A kind that we never make: only found, never desired. */
export interface ForeignLink extends LinkBase {
  readonly kind: 'foreign';
}

export type Link = Bridge | Vxlan | Veth | ForeignLink;

/**
 * The properties of a link that can change without making the link anew. They are set in this order: MAC, MTU, local,
 * bridge port, up. A new MAC or `up: false` makes the kernel flush the link's neighbours, permanent ones too. `up: false`
 * also removes its static routes and IPv6 addresses, an MTU below 1280 its IPv6 addresses, routes and sysctls. FDB
 * entries of a vxlan device survive all of this; the entries of a bridge port are removed when it leaves its bridge.
 */
export interface LinkChange {
  readonly mac?: Mac;
  readonly mtu?: number;
  readonly up?: boolean;
  /** Joins the bridge (unless it is a port of it already), then sets both flags. */
  readonly bridgePort?: BridgePort;
  /** vxlan only. The address family must stay the same: another family is EOPNOTSUPP. */
  readonly local?: Ip;
}

/**
 * link.add makes the link with its MAC, MTU, bridge (as a port that learns and floods: a link.set sets the flags) and
 * state. The same message makes a veth's other end in its namespace, down. The kernel checks names: ERANGE from 16 bytes
 * on. Each combination of VNI, port and family of `local` exists once per host namespace: a second one is EEXIST, also
 * while the namespace that had the first one is being destroyed. A device that Causeway made in this namespace (same VNI, port, MAC
 * and settings) and that another process has moved to another namespace is deleted there first.
 */
export type LinkOp =
  | { readonly op: 'link.add'; readonly netns: NetnsPath; readonly link: Bridge | Vxlan | Veth }
  | { readonly op: 'link.set'; readonly netns: NetnsPath; readonly name: string; readonly change: LinkChange }
  | { readonly op: 'link.delete'; readonly netns: NetnsPath; readonly name: string };

/** `name` is not compared: it is the key. */
const base = {
  kind: undefined,
  name: undefined,
  mac: by<Link, 'mac'>('mac'),
  mtu: by<Link, 'mtu'>('mtu'),
  up: by<Link, 'up'>('up'),
};

const bridge: Same<Bridge> = base;
const foreign: Same<ForeignLink> = base;
/** `bridgePort` is compared by the `port` comparison; `peer` is never found in a kernel. */
const veth: Same<Veth> = { ...base, bridgePort: undefined, peer: undefined };
const vxlan: Same<Vxlan> = {
  ...base,
  vni: by('vni'),
  port: by('port'),
  sourcePort: by('sourcePort'),
  local: by('local'),
  bridgePort: undefined,
};

/** Compares the links without their bridge ports. */
export function sameLink(a: Link, b: Link): boolean {
  if (a.kind === 'vxlan' && b.kind === 'vxlan') return isSame(vxlan, a, b);
  if (a.kind === 'veth' && b.kind === 'veth') return isSame(veth, a, b);
  if (a.kind === 'bridge' && b.kind === 'bridge') return isSame(bridge, a, b);
  if (a.kind === 'foreign' && b.kind === 'foreign') return isSame(foreign, a, b);
  return false;
}

export function portOf(link: Link): BridgePort | undefined {
  return 'bridgePort' in link ? link.bridgePort : undefined;
}

/** The other end of a pair. undefined: the link is no pair, or is the end that is made together with the other one. */
export function peerOf(link: Link): VethPeer | undefined {
  return 'peer' in link ? link.peer : undefined;
}

export function withPort(link: Link, bridgePort: BridgePort | undefined): Link {
  if (link.kind !== 'vxlan' && link.kind !== 'veth') return link;
  const { bridgePort: _, ...rest } = link;
  return { ...rest, ...(bridgePort && { bridgePort }) };
}

/** The port flags of a link that has just joined a bridge. */
export function newPort(master: string): BridgePort {
  return { master, learning: true, flood: true };
}
