import type { InterfaceAddress, Ip, Mac } from '@causeway/model';
import type { Bridge, BridgePort, FdbTarget, NetnsPath, Route, Veth, Vxlan } from './state.ts';

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
 * One step on the kernel, by name: resolved to an ifindex when applied. A "set" makes or replaces; an "add" of what is
 * there is EEXIST; a "delete" of what is absent succeeds, whatever of its parents is absent with it.
 *
 * link.add makes the link with its MAC, MTU, bridge (as a port that learns and floods: a link.set sets the flags) and
 * state; a veth's other end in its namespace is made in the same message, down. Names are checked by the kernel:
 * ERANGE from 16 bytes on. A VNI and port (and family of `local`) exist once per home namespace: EEXIST, also while a
 * namespace that had them is dying. netns.delete unmounts and removes the path.
 * address.delete of the last IPv4 address of a link makes the kernel flush its IPv4 neighbours and routes.
 * fdb.delete with a list of targets deletes each; a bare "port" is `master`, an address is `self`.
 * route.set replaces the route to that destination with that metric; route.delete deletes that one only.
 */
export type Op =
  | { readonly op: 'netns.add'; readonly netns: NetnsPath }
  | { readonly op: 'netns.delete'; readonly netns: NetnsPath }
  | { readonly op: 'sysctl.set'; readonly netns: NetnsPath; readonly key: string; readonly value: string }
  | { readonly op: 'link.add'; readonly netns: NetnsPath; readonly link: Bridge | Vxlan | Veth }
  | { readonly op: 'link.set'; readonly netns: NetnsPath; readonly name: string; readonly change: LinkChange }
  | { readonly op: 'link.delete'; readonly netns: NetnsPath; readonly name: string }
  | { readonly op: 'address.add'; readonly netns: NetnsPath; readonly dev: string; readonly address: InterfaceAddress }
  | {
      readonly op: 'address.delete';
      readonly netns: NetnsPath;
      readonly dev: string;
      readonly address: InterfaceAddress;
    }
  | { readonly op: 'route.set'; readonly netns: NetnsPath; readonly route: Route }
  | { readonly op: 'route.delete'; readonly netns: NetnsPath; readonly route: Route }
  | {
      readonly op: 'neighbour.set';
      readonly netns: NetnsPath;
      readonly dev: string;
      readonly ip: Ip;
      readonly mac: Mac;
    }
  | { readonly op: 'neighbour.delete'; readonly netns: NetnsPath; readonly dev: string; readonly ip: Ip }
  | {
      readonly op: 'fdb.set';
      readonly netns: NetnsPath;
      readonly dev: string;
      readonly mac: Mac;
      readonly target: 'port' | Ip;
    }
  | {
      readonly op: 'fdb.delete';
      readonly netns: NetnsPath;
      readonly dev: string;
      readonly mac: Mac;
      readonly target: FdbTarget;
    };

export type OpKind = Op['op'];
