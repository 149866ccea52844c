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

/** Made nolearning, proxy, without L2/L3MISS; its UDP socket lives in the home namespace. */
export interface Vxlan extends LinkBase {
  readonly kind: 'vxlan';
  readonly vni: Vni;
  /** Destination port, UDP. */
  readonly port: number;
  /** Source address of the tunnel. */
  readonly local: Ip;
  readonly bridgePort?: BridgePort;
}

/** One end of a pair. Its other end is a link of the namespace `peer` says, where it is wanted as `container`. */
export interface Veth extends LinkBase {
  readonly kind: 'veth';
  readonly bridgePort?: BridgePort;
  /** What the end that makes the pair says of the other end; absent on the end in the container, and in what was found. */
  readonly peer?: VethPeer;
}

export interface VethPeer {
  readonly netns: NetnsPath;
  readonly name: string;
  readonly mac: Mac;
  readonly mtu: number;
}

/** A kind we never make; only found, never wanted. */
export interface ForeignLink extends LinkBase {
  readonly kind: 'foreign';
}

export type Link = Bridge | Vxlan | Veth | ForeignLink;

/**
 * What of a link can change without making it anew. In this order: MAC, MTU, local, bridge port, up.
 * A new MAC or `up: false` makes the kernel flush the link's neighbours, permanent ones too; `up: false` also its
 * static routes and IPv6 addresses; an MTU below 1280 its IPv6 addresses, routes and sysctls. FDB entries of a vxlan
 * device survive all of it; a bridge port's entries go with its master.
 */
export interface LinkChange {
  readonly mac?: Mac;
  readonly mtu?: number;
  readonly up?: boolean;
  /** Joins the bridge (unless it is a port of it already), then sets both flags. */
  readonly bridgePort?: BridgePort;
  /** vxlan only, of the family it has: another family is EOPNOTSUPP. */
  readonly local?: Ip;
}

/**
 * link.add makes the link with its MAC, MTU, bridge (as a port that learns and floods: a link.set sets the flags) and
 * state; a veth's other end in its namespace is made in the same message, down. Names are checked by the kernel:
 * ERANGE from 16 bytes on. A VNI and port (and family of `local`) exist once per home namespace: EEXIST, also while a
 * namespace that had them is dying.
 */
export type LinkOp =
  | { readonly op: 'link.add'; readonly netns: NetnsPath; readonly link: Bridge | Vxlan | Veth }
  | { readonly op: 'link.set'; readonly netns: NetnsPath; readonly name: string; readonly change: LinkChange }
  | { readonly op: 'link.delete'; readonly netns: NetnsPath; readonly name: string };

/** The name is the key. */
const base = {
  kind: undefined,
  name: undefined,
  mac: by<Link, 'mac'>('mac'),
  mtu: by<Link, 'mtu'>('mtu'),
  up: by<Link, 'up'>('up'),
};

const bridge: Same<Bridge> = base;
const foreign: Same<ForeignLink> = base;
/** Ports are compared by themselves; `peer` is not found in a kernel. */
const veth: Same<Veth> = { ...base, bridgePort: undefined, peer: undefined };
const vxlan: Same<Vxlan> = { ...base, vni: by('vni'), port: by('port'), local: by('local'), bridgePort: undefined };

/** In themselves, not as ports of a bridge. */
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

export function withPort(link: Link, bridgePort: BridgePort | undefined): Link {
  if (link.kind !== 'vxlan' && link.kind !== 'veth') return link;
  const { bridgePort: _, ...rest } = link;
  return bridgePort === undefined ? rest : { ...rest, bridgePort };
}

/** What a link is as a port until told otherwise. */
export function newPort(master: string): BridgePort {
  return { master, learning: true, flood: true };
}
