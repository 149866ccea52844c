import type { InterfaceAddress, Ip, Mac, Prefix } from '@causeway/model';
import type { NetnsPath } from '../state.ts';
import { type AddressOp, address } from './address.ts';
import { type FdbOp, type FdbTarget, fdb } from './fdb.ts';
import type { AnyComparison, AnyKind } from './kind.ts';
import type { Link, LinkOp } from './link/link.ts';
import { link } from './link.ts';
import { type NeighbourOp, neighbour } from './neighbour.ts';
import { type Route, type RouteOp, route } from './route.ts';
import { type SysctlOp, sysctl } from './sysctl.ts';

/** Every kind, in the order in which differences are listed, and a namespace is read. */
const all = [link, sysctl, address, route, fdb, neighbour] as const satisfies readonly AnyKind[];

/** What of one namespace is ours, wanted or found. Two equal values program nothing. */
export interface Namespace {
  /** By name. */
  readonly links: ReadonlyMap<string, Link>;
  /** By link name. */
  readonly addresses: ReadonlyMap<string, ReadonlySet<InterfaceAddress>>;
  /** By destination; "0.0.0.0/0" and "::/0" are the default routes. Main table only; of several, the lowest metric. */
  readonly routes: ReadonlyMap<Prefix, Route>;
  /** Permanent neighbour entries, by link name and address. */
  readonly neighbours: ReadonlyMap<string, ReadonlyMap<Ip, Mac>>;
  /** By link name and MAC: static entries of a bridge port, tunnel entries of a vxlan device. */
  readonly fdb: ReadonlyMap<string, ReadonlyMap<Mac, FdbTarget>>;
  /** By name, "net.ipv4.ip_forward" (see `interfaceSysctl`). Only those asked for that exist. */
  readonly sysctls: ReadonlyMap<string, string>;
}

/**
 * One step on the kernel, by name: resolved to an ifindex when applied. A "set" makes or replaces; an "add" of what is
 * there is EEXIST; a "delete" of what is absent succeeds, whatever of its parents is absent with it. What each does
 * besides is said by its kind. `netns.delete` unmounts and removes the path.
 */
export type Op =
  | { readonly op: 'netns.add'; readonly netns: NetnsPath }
  | { readonly op: 'netns.delete'; readonly netns: NetnsPath }
  | LinkOp
  | AddressOp
  | RouteOp
  | NeighbourOp
  | FdbOp
  | SysctlOp;

export type OpKind = Op['op'];

/**
 * The order of a plan: what is later needs what is earlier. Adding comes before deleting, so that what stays reachable
 * is reachable all the while; deleted before is only what the kernel does not let go alone.
 */
export const order = [
  'add namespace',
  'set sysctl of namespace', // new links take over what "default" says
  'delete link in the way',
  'add bridge',
  'add link',
  'shrink container', // before what it sends through: nothing is ever larger than its way out
  'change link',
  'grow container',
  'set sysctl of link', // before it is up: a router advertisement would be faster
  'set port',
  'set link up',
  'add address',
  'delete address', // the last IPv4 one takes a link's neighbours and routes along: before those are set
  'set route', // its gateway must be on a link that is up
  'set FDB entry',
  'set neighbour',
  'delete neighbour',
  'delete FDB entry',
  'delete route',
  'delete link', // before their namespace: a VNI of a dying one stays taken for up to a second
  'delete namespace',
] as const;

/** Where in a plan a step belongs. */
export type Place = (typeof order)[number];

export type KindName = (typeof all)[number]['name'];

export const kinds: readonly AnyKind[] = all;
export const comparisons: readonly AnyComparison[] = kinds.flatMap((kind) => [kind, ...(kind.parts ?? [])]);

const byOp = new Map<OpKind, AnyKind>(kinds.flatMap((kind) => kind.ops.map((op) => [op, kind])));

/** The kind that an op is of; undefined: a namespace's. */
export function kindOf(op: Op): AnyKind | undefined {
  return byOp.get(op.op);
}
