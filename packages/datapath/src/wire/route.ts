import { addressOf, familyOf, type Ip, lengthOf, type Prefix } from '@causeway/model';
import {
  type Encode,
  type MessageReader,
  type MessageWriter,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_REPLACE,
} from '@causeway/netlink';
import { putIp, readIp } from './address-bytes.ts';
import * as k from './constants.ts';

/** struct rtmsg: family, dst_len, src_len, tos, table, protocol, scope, type, flags u32. */
const rtmsg = 12;

export interface RouteRecord {
  readonly dst: Prefix;
  readonly gateway?: Ip;
  /** Index of the interface that the route leads out of. */
  readonly index: number;
  /** The smallest wins. */
  readonly metric: number;
}

/** ip route replace DST via GATEWAY dev NAME metric METRIC proto static */
export function setRoute(route: RouteRecord): Encode {
  return (to) => {
    to.begin(k.RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
    const scope = route.gateway === undefined ? k.RT_SCOPE_LINK : k.RT_SCOPE_UNIVERSE;
    body(to, route, { protocol: k.RTPROT_STATIC, scope, type: k.RTN_UNICAST });
    to.end();
  };
}

/** ip route delete DST via GATEWAY dev NAME metric METRIC */
export function deleteRoute(route: RouteRecord): Encode {
  return (to) => {
    to.begin(k.RTM_DELROUTE);
    body(to, route, { protocol: 0, scope: k.RT_SCOPE_NOWHERE, type: 0 });
    to.end();
  };
}

/** ip route show table all */
export const dumpRoutes: Encode = (to) => {
  to.begin(k.RTM_GETROUTE, NLM_F_DUMP);
  to.struct(rtmsg);
  to.end();
};

/** Whether the message is about the main table, the only table that is read. */
export function isOfMainTable(message: MessageReader): boolean {
  return message.u8(4) === k.RT_TABLE_MAIN;
}

/** undefined: not a unicast route of the main table with one next hop, or a route that the kernel made for an address. */
export function readRoute(message: MessageReader): RouteRecord | undefined {
  return message.u8(5) === k.RTPROT_KERNEL ? undefined : readUnicast(message);
}

/**
 * undefined: not a unicast route of the main table with one next hop. Routes that the kernel made for an address are
 * included.
 */
export function readDestination(message: MessageReader): Prefix | undefined {
  return readUnicast(message)?.dst;
}

function readUnicast(message: MessageReader): RouteRecord | undefined {
  const family = message.u8(0);
  if (family !== k.AF_INET && family !== k.AF_INET6) return undefined;
  if (message.u8(7) !== k.RTN_UNICAST) return undefined;
  if ((message.u32(8) & k.RTM_F_CLONED) !== 0) return undefined;
  let dst: Ip = (family === k.AF_INET ? '0.0.0.0' : '::') as Ip;
  let gateway: Ip | undefined;
  let index: number | undefined;
  let metric = 0;
  let table = message.u8(4);
  const attributes = message.attributes(rtmsg);
  while (attributes.next()) {
    if (attributes.type === k.RTA_DST) dst = readIp(attributes);
    else if (attributes.type === k.RTA_GATEWAY) gateway = readIp(attributes);
    else if (attributes.type === k.RTA_OIF) index = attributes.u32();
    else if (attributes.type === k.RTA_PRIORITY) metric = attributes.u32();
    else if (attributes.type === k.RTA_TABLE) table = attributes.u32();
  }
  if (table !== k.RT_TABLE_MAIN || index === undefined) return undefined;
  return { dst: `${dst}/${message.u8(1)}` as Prefix, index, metric, ...(gateway !== undefined && { gateway }) };
}

function body(to: MessageWriter, route: RouteRecord, of: { protocol: number; scope: number; type: number }): void {
  const length = lengthOf(route.dst);
  const at = to.struct(rtmsg);
  to.put8(at, familyOf(route.dst) === 6 ? k.AF_INET6 : k.AF_INET);
  to.put8(at + 1, length);
  to.put8(at + 4, k.RT_TABLE_MAIN);
  to.put8(at + 5, of.protocol);
  to.put8(at + 6, of.scope);
  to.put8(at + 7, of.type);
  if (length > 0) putIp(to, k.RTA_DST, addressOf(route.dst));
  if (route.gateway !== undefined) putIp(to, k.RTA_GATEWAY, route.gateway);
  to.u32(k.RTA_OIF, route.index);
  to.u32(k.RTA_PRIORITY, route.metric);
}
