import { NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, NLM_F_REPLACE } from '../../constants.ts';
import type { MessageReader } from '../../reader.ts';
import type { Encode, MessageWriter } from '../../writer.ts';

// linux/rtnetlink.h, linux/if_link.h, linux/neighbour.h
const RTM_NEWLINK = 16;
const RTM_GETLINK = 18;
const RTM_NEWNEIGH = 28;
export const RTNLGRP_LINK = 1;
export const RTNLGRP_NEIGH = 3;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_LINKINFO = 18;
const IFLA_INFO_KIND = 1;
const NDA_DST = 1;
const NDA_LLADDR = 2;
const AF_BRIDGE = 7;
const NUD_PERMANENT = 0x80;
const NTF_SELF = 0x2;
/** Sizes of struct ifinfomsg and struct ndmsg. */
const ifinfomsg = 16;
const ndmsg = 12;

/** A few NETLINK_ROUTE messages for tests of sockets. `ip link add NAME type bridge` */
export function addBridge(name: string): Encode {
  return (to) => {
    to.begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
    to.struct(ifinfomsg);
    to.string(IFLA_IFNAME, name);
    to.nest(IFLA_LINKINFO, () => to.string(IFLA_INFO_KIND, 'bridge'));
    to.end();
  };
}

/** ip link set … mtu MTU */
export function setMtu(index: number, mtu: number): Encode {
  return (to) => {
    to.begin(RTM_NEWLINK);
    to.put32(to.struct(ifinfomsg) + 4, index);
    to.u32(IFLA_MTU, mtu);
    to.end();
  };
}

/** ip link show NAME */
export function getLink(name: string): Encode {
  return (to) => {
    to.begin(RTM_GETLINK);
    to.struct(ifinfomsg);
    to.string(IFLA_IFNAME, name);
    to.end();
  };
}

/** ip link show */
export const dumpLinks: Encode = (to) => {
  to.begin(RTM_GETLINK, NLM_F_DUMP);
  to.struct(ifinfomsg);
  to.end();
};

export function linkName(message: MessageReader): string {
  const attributes = message.attributes(ifinfomsg);
  while (attributes.next()) if (attributes.type === IFLA_IFNAME) return attributes.string();
  return '';
}

/** bridge fdb replace MAC dev … self dst 192.0.2.2 */
export function setFdb(to: MessageWriter, index: number, mac: readonly number[]): void {
  to.begin(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE);
  const at = to.struct(ndmsg);
  to.put8(at, AF_BRIDGE);
  to.put32(at + 4, index);
  to.put16(at + 8, NUD_PERMANENT);
  to.put8(at + 10, NTF_SELF);
  to.buffer.set(mac, to.attribute(NDA_LLADDR, 6));
  to.buffer.set([192, 0, 2, 2], to.attribute(NDA_DST, 4));
  to.end();
}
