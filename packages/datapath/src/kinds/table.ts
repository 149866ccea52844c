import type { InterfaceAddress, Ip, Mac, Prefix } from '@causeway/model';
import type { NetnsPath } from '../state.ts';
import { type AddressOp, address } from './address.ts';
import { type EncapSocketOp, encapSocket } from './encap-socket.ts';
import { type FdbOp, type FdbTarget, fdb } from './fdb.ts';
import type { AnyComparison, AnyKind } from './kind.ts';
import type { Link, LinkOp } from './link/link.ts';
import { link } from './link.ts';
import { type NeighbourOp, neighbour } from './neighbour.ts';
import { type PortGuard, type PortGuardOp, portGuard } from './port-guard.ts';
import { type Route, type RouteOp, route } from './route.ts';
import { type SysctlOp, sysctl } from './sysctl.ts';
import { type XfrmPolicy, type XfrmPolicyOp, xfrmPolicy } from './xfrm-policy.ts';
import { type XfrmState, type XfrmStateOp, xfrmState } from './xfrm-state.ts';

/** Every kind, in the order in which differences are listed and a namespace is read. */
const all = [
  ...([link, sysctl, address, route, fdb, neighbour] as const),
  ...([xfrmState, xfrmPolicy, encapSocket, portGuard] as const),
] as const satisfies readonly AnyKind[];

/** The part of one namespace that is ours, desired or found. If both are equal, there is nothing to program. */
export interface Namespace {
  /** By name. */
  readonly links: ReadonlyMap<string, Link>;
  /** By link name. */
  readonly addresses: ReadonlyMap<string, ReadonlySet<InterfaceAddress>>;
  /**
   * By destination; "0.0.0.0/0" and "::/0" are the default routes. Main table only; where several routes
   * have one destination, the one with the lowest metric.
   */
  readonly routes: ReadonlyMap<Prefix, Route>;
  /** Permanent neighbour entries, by link name and address. */
  readonly neighbours: ReadonlyMap<string, ReadonlyMap<Ip, Mac>>;
  /** By link name and MAC: static entries of a bridge port, tunnel entries of a vxlan device. */
  readonly fdb: ReadonlyMap<string, ReadonlyMap<Mac, FdbTarget>>;
  /** By name, "net.ipv4.ip_forward" (see `interfaceSysctl`). Only the requested keys that exist. */
  readonly sysctls: ReadonlyMap<string, string>;
  /** SAs, by `stateKey`. */
  readonly xfrmStates: ReadonlyMap<string, XfrmState>;
  /** By `policyKey`. */
  readonly xfrmPolicies: ReadonlyMap<string, XfrmPolicy>;
  /** Addresses at which a socket takes ESP in UDP. */
  readonly encapSockets: ReadonlyMap<Ip, true>;
  /** UDP ports that only packets of IPsec pass. */
  readonly portGuards: ReadonlyMap<number, PortGuard>;
}

/**
 * One step on the kernel. It names links; the names are resolved to ifindexes when the op is applied. A "set" makes or
 * replaces; an "add" of an object that exists is EEXIST; a "delete" of an absent object succeeds, also when the object's
 * link or namespace is absent. The op's kind describes side effects. `netns.delete` unmounts and removes the path.
 */
export type Op =
  | { readonly op: 'netns.add'; readonly netns: NetnsPath }
  | { readonly op: 'netns.delete'; readonly netns: NetnsPath }
  | LinkOp
  | AddressOp
  | RouteOp
  | NeighbourOp
  | FdbOp
  | SysctlOp
  | XfrmStateOp
  | XfrmPolicyOp
  | EncapSocketOp
  | PortGuardOp;

export type OpKind = Op['op'];

/**
 * The order of a plan: a later step may need an earlier one. Additions come before deletions, so that what stays reachable
 * is reachable throughout. A deletion comes earlier only where the kernel would otherwise refuse or undo a later addition.
 */
export const order = [
  'add namespace',
  'block', // before the links: no packet may leave or enter a link of an encrypted network in the clear, at no moment
  'set sysctl of namespace', // new links inherit the values of "default"
  'delete link in the way',
  'add bridge',
  'add link',
  'shrink container', // before the links it sends through: an interface never has a larger MTU than the links behind it
  'change link',
  'grow container',
  'set sysctl of link', // before the link is up: otherwise a router advertisement could arrive first
  'set port',
  'set link up',
  'add address',
  'delete address', // deleting the last IPv4 address also removes the link's neighbours and routes: so before those are set
  'set route', // its gateway must be on a link that is up
  'delete SA in the way',
  'open socket', // before the SAs that receive: it takes their packets
  'set ports of SA',
  'add receiving SA', // before the SA that sends: the peer may send with the new key as soon as this host reports the receiving SA
  'add sending SA', // before the policy that names it: a policy without its SA drops packets
  'set policy', // before the FDB entries: a peer's first packet finds its policy
  'set FDB entry',
  'set neighbour',
  'delete neighbour',
  'delete FDB entry',
  'delete policy', // the reverse of the additions
  'delete sending SA',
  'delete receiving SA',
  'close socket',
  'delete route',
  'delete link', // before their namespace: the VNI of a namespace that is being destroyed stays taken for up to a second
  'unblock', // after the links, as 'block' comes before them
  'delete namespace',
] as const;

/** The place of a step in a plan. */
export type Place = (typeof order)[number];

export type KindName = (typeof all)[number]['name'];

export const kinds: readonly AnyKind[] = all;
export const comparisons: readonly AnyComparison[] = kinds.flatMap((kind) => [kind, ...(kind.parts ?? [])]);

const byOp = new Map<OpKind, AnyKind>(kinds.flatMap((kind) => kind.ops.map((op) => [op, kind])));

/** The kind that an op belongs to; undefined: the op is about a namespace. */
export function kindOf(op: Op): AnyKind | undefined {
  return byOp.get(op.op);
}
