import type { Brand, InterfaceAddress, Ip, Mac, Prefix, Vni } from '@causeway/model';

/** A network namespace by the path it is mounted on: "/run/netns/cw-3f9a…". Empty: the one the process lives in. */
export type NetnsPath = Brand<string, 'NetnsPath'>;
export const home = '' as NetnsPath;

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
  /**
   * By name, "net.ipv4.ip_forward". Only those asked for that exist. As in sysctl(8), a "." within a part is written
   * "/": "net.ipv6.conf.eth0/7.accept_ra" is /proc/sys/net/ipv6/conf/eth0.7/accept_ra (see `interfaceSysctl`).
   */
  readonly sysctls: ReadonlyMap<string, string>;
}

/**
 * Where the bridge or vxlan device sends frames for a MAC: out of the port itself ("port", static, `master`),
 * or to a VTEP (`self dst`). A group MAC may have several VTEPs in a kernel somebody else wrote to: they are listed.
 */
export type FdbTarget = 'port' | Ip | readonly Ip[];

export interface Route {
  readonly dst: Prefix;
  /** Absent: on link. */
  readonly gateway?: Ip;
  readonly dev: string;
  /** Smaller wins; routes that differ in it live side by side. Never 0 for IPv6: the kernel makes 1024 of it. */
  readonly metric: number;
}

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
  /** Of the end that makes the pair; absent on the end in the container, and in what a kernel was found to have. */
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

/** An interface's own sysctl: ("ipv6", "eth0", "accept_ra") is "net.ipv6.conf.eth0.accept_ra". */
export function interfaceSysctl(family: 'ipv4' | 'ipv6', dev: string, name: string): string {
  return `net.${family}.conf.${dev.replaceAll('.', '/')}.${name}`;
}

/** The interface whose sysctl it is; undefined for those of the namespace, "all" and "default" among them. */
export function interfaceOf(sysctl: string): string | undefined {
  const dev = /^net\.ipv[46]\.conf\.([^.]+)\./.exec(sysctl)?.[1]?.replaceAll('/', '.');
  return dev === 'all' || dev === 'default' ? undefined : dev;
}

/** Everything wanted or found in the namespaces one network touches on a host: its own, and its containers'. */
export type State = ReadonlyMap<NetnsPath, Namespace>;
