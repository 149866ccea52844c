import type { InterfaceAddress, Ip, Mac } from '@causeway/model';
import type { Bridge, BridgePort, FdbTarget, NetnsPath, Route, Veth, Vxlan } from './state.ts';

/** What of a link can change without making it anew. */
export interface LinkChange {
  readonly mac?: Mac;
  readonly mtu?: number;
  readonly up?: boolean;
  readonly bridgePort?: BridgePort;
  /** vxlan only. */
  readonly local?: Ip;
}

/** One step on the kernel, by name: resolved to an ifindex when applied. A "set" makes or replaces. */
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
