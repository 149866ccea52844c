import type { Ip, Mac, Vni } from '@causeway/model';
import {
  type AttributeReader,
  type Encode,
  type MessageReader,
  type MessageWriter,
  NLA_F_NESTED,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
} from '@causeway/netlink';
import { putIp, putMac, readIp, readMac } from './address-bytes.ts';
import * as k from './constants.ts';

/** struct ifinfomsg: family, pad, type u16, index i32, flags u32, change u32. */
const ifinfomsg = 16;

export interface NewLink {
  readonly name: string;
  readonly mac: Mac;
  /** Bytes. */
  readonly mtu: number;
  readonly up: boolean;
  /** Interface index of the bridge that the link becomes a port of. */
  readonly master?: number;
  /** Device group; absent: the default group, 0. */
  readonly group?: number;
}

export interface NewVxlan extends NewLink {
  readonly vni: Vni;
  /** UDP port. */
  readonly port: number;
  readonly sourcePort?: number;
  readonly local: Ip;
  /** Open fd of the namespace for the device; its UDP socket stays in the netlink socket's namespace. Absent: both there. */
  readonly netns?: number;
}

export interface NewVeth extends NewLink {
  /** `netns`: open fd of the namespace the other end is made in. */
  readonly peer: { readonly name: string; readonly mac: Mac; readonly mtu: number; readonly netns: number };
}

export interface PortFlags {
  readonly learning: boolean;
  readonly flood: boolean;
}

/** A link as a kernel message describes it. */
export interface LinkRecord {
  readonly index: number;
  readonly name: string;
  /** Absent for links without Ethernet addresses. */
  readonly mac?: Mac;
  readonly mtu: number;
  readonly up: boolean;
  /** Carrier. For a veth: the other end is up too. */
  readonly carrier: boolean;
  /** "bridge", "vxlan", …; empty for physical devices. */
  readonly kind: string;
  readonly master?: number;
  /** Device group. */
  readonly group: number;
  /** The flags of a bridge port. */
  readonly port?: PortFlags;
  readonly vxlan?: VxlanRecord;
  /** The veth's peer, or the vxlan device's UDP socket, is in another namespace. */
  readonly crossesNamespaces: boolean;
}

export interface VxlanRecord {
  readonly vni: number;
  readonly port: number;
  /** Absent: a port for each flow, of those that the host has for outgoing connections. */
  readonly sourcePort?: number;
  readonly local?: Ip;
  /**
   * One VNI, no learning, proxy, no miss events, no default destination, no lower device, no source ports or one: as `addVxlan`
   * makes it.
   */
  readonly plain: boolean;
}

/**
 * ip link add NAME address MAC mtu MTU type bridge forward_delay 0
 * Without STP a port forwards at once. With a delay (15 s) the kernel would notify a second time, with no change.
 */
export function addBridge(link: NewLink): Encode {
  return (to) => newLink(to, link, 'bridge', () => to.u32(k.IFLA_BR_FORWARD_DELAY, 0));
}

/**
 * ip link add NAME netns TARGET … type vxlan id VNI dstport PORT [srcport PORT PORT+1] local LOCAL nolearning proxy
 * One message, made in place. The upper bound of the source ports is never used, and equal bounds mean that there is no range.
 */
export function addVxlan(link: NewVxlan): Encode {
  return (to) =>
    newLink(to, link, 'vxlan', () => {
      to.u32(k.IFLA_VXLAN_ID, link.vni);
      putIp(to, localAttribute(link.local), link.local);
      to.u8(k.IFLA_VXLAN_LEARNING, 0);
      to.u8(k.IFLA_VXLAN_PROXY, 1);
      to.u16be(k.IFLA_VXLAN_PORT, link.port);
      if (link.sourcePort !== undefined) putRange(to, k.IFLA_VXLAN_PORT_RANGE, link.sourcePort, link.sourcePort + 1);
    });
}

/**
 * ip link add NAME numtxqueues 1 numrxqueues 1 address MAC mtu MTU type veth peer name PEER … netns CONTAINER
 * Otherwise the kernel makes a queue for each processor, and removes all but the first at once: it then waits, with the
 * lock of all namespaces held, until every processor has left the queues (veth_init_queues).
 */
export function addVeth(link: NewVeth): Encode {
  return (to) => {
    beginLink(to, link);
    putOneQueue(to);
    linkInfo(to, 'veth', () =>
      to.nest(k.VETH_INFO_PEER, () => {
        to.struct(ifinfomsg);
        to.string(k.IFLA_IFNAME, link.peer.name);
        putMac(to, k.IFLA_ADDRESS, link.peer.mac);
        to.u32(k.IFLA_MTU, link.peer.mtu);
        putOneQueue(to);
        to.u32(k.IFLA_NET_NS_FD, link.peer.netns);
      }),
    );
    to.end();
  };
}

function putOneQueue(to: MessageWriter): void {
  to.u32(k.IFLA_NUM_TX_QUEUES, 1);
  to.u32(k.IFLA_NUM_RX_QUEUES, 1);
}

/** ip link set NAME address MAC mtu MTU master BRIDGE up|down */
export function setLink(
  index: number,
  change: { readonly mac?: Mac; readonly mtu?: number; readonly master?: number; readonly up?: boolean },
): Encode {
  return (to) => {
    to.begin(k.RTM_NEWLINK);
    header(to, { index, up: change.up });
    if (change.mac !== undefined) putMac(to, k.IFLA_ADDRESS, change.mac);
    if (change.mtu !== undefined) to.u32(k.IFLA_MTU, change.mtu);
    if (change.master !== undefined) to.u32(k.IFLA_MASTER, change.master);
    to.end();
  };
}

/** ip link set NAME type vxlan local LOCAL */
export function setVxlanLocal(index: number, local: Ip): Encode {
  return (to) => {
    to.begin(k.RTM_NEWLINK);
    header(to, { index });
    linkInfo(to, 'vxlan', () => putIp(to, localAttribute(local), local));
    to.end();
  };
}

/**
 * bridge link set dev NAME learning on|off flood on|off
 * RTM_SETLINK of family AF_BRIDGE: RTM_NEWLINK takes IFLA_PROTINFO too, and ignores it.
 */
export function setPortFlags(index: number, flags: PortFlags): Encode {
  return (to) => {
    to.begin(k.RTM_SETLINK);
    header(to, { family: k.AF_BRIDGE, index });
    // With NLA_F_NESTED the kernel parses nested attributes; without it, the single byte of the format of 2006.
    to.nest(k.IFLA_PROTINFO | NLA_F_NESTED, () => {
      to.u8(k.IFLA_BRPORT_LEARNING, Number(flags.learning));
      to.u8(k.IFLA_BRPORT_UNICAST_FLOOD, Number(flags.flood));
    });
    to.end();
  };
}

/** ip link delete NAME */
export function deleteLink(index: number): Encode {
  return (to) => {
    to.begin(k.RTM_DELLINK);
    header(to, { index });
    to.end();
  };
}

/** The same in a namespace that the socket's namespace has this number for. */
export function deleteLinkIn(nsid: number, index: number): Encode {
  return (to) => {
    to.begin(k.RTM_DELLINK);
    header(to, { index });
    to.u32(k.IFLA_TARGET_NETNSID, nsid);
    to.end();
  };
}

/** ip link show NAME, or: … index INDEX */
export function getLink(link: string | number): Encode {
  return (to) => {
    to.begin(k.RTM_GETLINK);
    header(to, typeof link === 'number' ? { index: link } : {});
    to.u32(k.IFLA_EXT_MASK, k.RTEXT_FILTER_SKIP_STATS);
    if (typeof link === 'string') to.string(k.IFLA_IFNAME, link);
    to.end();
  };
}

/** ip -d link show */
export const dumpLinks: Encode = (to) => {
  to.begin(k.RTM_GETLINK, NLM_F_DUMP);
  header(to, {});
  to.u32(k.IFLA_EXT_MASK, k.RTEXT_FILTER_SKIP_STATS);
  to.end();
};

/** ip -d link show, in a namespace that the socket's namespace has this number for */
export function dumpLinksIn(nsid: number): Encode {
  return (to) => {
    to.begin(k.RTM_GETLINK, NLM_F_DUMP);
    header(to, {});
    to.u32(k.IFLA_EXT_MASK, k.RTEXT_FILTER_SKIP_STATS);
    to.u32(k.IFLA_TARGET_NETNSID, nsid);
    to.end();
  };
}

/** Decodes an RTM_NEWLINK or RTM_DELLINK message. */
export function readLink(message: MessageReader): LinkRecord {
  const link: { -readonly [Key in keyof LinkRecord]: LinkRecord[Key] } = {
    index: message.i32(4),
    up: (message.u32(8) & k.IFF_UP) !== 0,
    carrier: (message.u32(8) & k.IFF_LOWER_UP) !== 0,
    name: '',
    mtu: 0,
    group: 0,
    kind: '',
    crossesNamespaces: false,
  };
  const attributes = message.attributes(ifinfomsg);
  while (attributes.next()) {
    if (attributes.type === k.IFLA_IFNAME) link.name = attributes.string();
    else if (attributes.type === k.IFLA_MTU) link.mtu = attributes.u32();
    else if (attributes.type === k.IFLA_MASTER) link.master = attributes.u32();
    else if (attributes.type === k.IFLA_GROUP) link.group = attributes.u32();
    else if (attributes.type === k.IFLA_ADDRESS && attributes.length === 6) link.mac = readMac(attributes);
    else if (attributes.type === k.IFLA_LINK_NETNSID) link.crossesNamespaces = true;
    else if (attributes.type === k.IFLA_PROTINFO) link.port = readPort(attributes.nested());
    else if (attributes.type === k.IFLA_LINKINFO) Object.assign(link, readLinkInfo(attributes.nested()));
  }
  return link;
}

function readLinkInfo(info: AttributeReader): Partial<LinkRecord> {
  let kind = '';
  let data: AttributeReader | undefined;
  let portKind = '';
  let port: AttributeReader | undefined;
  while (info.next()) {
    if (info.type === k.IFLA_INFO_KIND) kind = info.string();
    else if (info.type === k.IFLA_INFO_DATA) data = info.nested();
    else if (info.type === k.IFLA_INFO_SLAVE_KIND) portKind = info.string();
    else if (info.type === k.IFLA_INFO_SLAVE_DATA) port = info.nested();
  }
  return {
    kind,
    ...(kind === 'vxlan' && data !== undefined && { vxlan: readVxlan(data) }),
    ...(portKind === 'bridge' && port !== undefined && { port: readPort(port) }),
  };
}

function readVxlan(data: AttributeReader): VxlanRecord {
  let vni = 0;
  let port = 0;
  let sourcePort: number | undefined;
  let local: Ip | undefined;
  let plain = true;
  while (data.next()) {
    const { type } = data;
    if (type === k.IFLA_VXLAN_ID) vni = data.u32();
    else if (type === k.IFLA_VXLAN_PORT) port = data.u16be();
    else if (type === k.IFLA_VXLAN_PORT_RANGE) {
      const { low, high } = readRange(data);
      if (low + 1 === high) sourcePort = low;
      else plain &&= low === 0 && high === 0;
    } else if (type === k.IFLA_VXLAN_LOCAL || type === k.IFLA_VXLAN_LOCAL6) local = readIp(data);
    else if (type === k.IFLA_VXLAN_PROXY) plain &&= data.u8() === 1;
    else if (mustBeOff.has(type)) plain &&= data.u8() === 0;
    else if (mustBeAbsent.has(type)) plain = false;
  }
  return {
    vni,
    port,
    ...(sourcePort !== undefined && { sourcePort }),
    plain: plain && vni > 0,
    ...(local !== undefined && { local }),
  };
}

const mustBeOff: ReadonlySet<number> = new Set([
  k.IFLA_VXLAN_LEARNING,
  k.IFLA_VXLAN_L2MISS,
  k.IFLA_VXLAN_L3MISS,
  k.IFLA_VXLAN_COLLECT_METADATA,
]);
const mustBeAbsent: ReadonlySet<number> = new Set([k.IFLA_VXLAN_GROUP, k.IFLA_VXLAN_GROUP6, k.IFLA_VXLAN_LINK]);

function readPort(data: AttributeReader): PortFlags {
  let learning = false;
  let flood = false;
  while (data.next()) {
    if (data.type === k.IFLA_BRPORT_LEARNING) learning = data.u8() !== 0;
    else if (data.type === k.IFLA_BRPORT_UNICAST_FLOOD) flood = data.u8() !== 0;
  }
  return { learning, flood };
}

function newLink(
  to: MessageWriter,
  link: NewLink & { readonly netns?: number },
  kind: string,
  data?: () => void,
): void {
  beginLink(to, link);
  linkInfo(to, kind, data);
  to.end();
}

function beginLink(to: MessageWriter, link: NewLink & { readonly netns?: number }): void {
  to.begin(k.RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  header(to, { up: link.up });
  to.string(k.IFLA_IFNAME, link.name);
  putMac(to, k.IFLA_ADDRESS, link.mac);
  to.u32(k.IFLA_MTU, link.mtu);
  if (link.master !== undefined) to.u32(k.IFLA_MASTER, link.master);
  if (link.group !== undefined) to.u32(k.IFLA_GROUP, link.group);
  if (link.netns !== undefined) to.u32(k.IFLA_NET_NS_FD, link.netns);
}

function linkInfo(to: MessageWriter, kind: string, data?: () => void): void {
  to.nest(k.IFLA_LINKINFO, () => {
    to.string(k.IFLA_INFO_KIND, kind);
    if (data !== undefined) to.nest(k.IFLA_INFO_DATA, data);
  });
}

function header(to: MessageWriter, of: { family?: number; index?: number; up?: boolean | undefined }): void {
  const at = to.struct(ifinfomsg);
  to.put8(at, of.family ?? k.AF_UNSPEC);
  to.put32(at + 4, of.index ?? 0);
  if (of.up === undefined) return;
  to.put32(at + 8, of.up ? k.IFF_UP : 0);
  to.put32(at + 12, k.IFF_UP);
}

function localAttribute(local: Ip): number {
  return local.includes(':') ? k.IFLA_VXLAN_LOCAL6 : k.IFLA_VXLAN_LOCAL;
}

/** struct ifla_vxlan_port_range: two ports in network byte order. */
function putRange(to: MessageWriter, type: number, low: number, high: number): void {
  const at = to.attribute(type, 4);
  to.put16be(at, low);
  to.put16be(at + 2, high);
}

function readRange(data: AttributeReader): { readonly low: number; readonly high: number } {
  const [a = 0, b = 0, c = 0, d = 0] = data.slice();
  return { low: (a << 8) | b, high: (c << 8) | d };
}
