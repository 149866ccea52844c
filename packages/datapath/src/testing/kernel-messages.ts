import { type Encode, MessageReader, MessageWriter } from '@causeway/netlink';
import * as k from '../wire/constants.ts';
import * as xfrm from '../wire/xfrm-constants.ts';

/** The message of an encoder, as a reader receives it. */
export function received(encode: Encode): MessageReader {
  const writer = new MessageWriter();
  encode(writer);
  const reader = new MessageReader(writer.bytes.slice());
  reader.next();
  return reader;
}

/** An attribute with these bytes. */
export function putBytes(to: MessageWriter, type: number, ...bytes: readonly number[]): void {
  const at = to.attribute(type, bytes.length);
  to.buffer.set(bytes, at);
}

const nothing: Encode = () => undefined;

/** A message about a link: struct ifinfomsg, then these attributes. */
export function linkMessage(
  of: { readonly type?: number; readonly family?: number; readonly index?: number; readonly flags?: number },
  attributes = nothing,
): Encode {
  return (to) => {
    to.begin(of.type ?? k.RTM_NEWLINK);
    const at = to.struct(16);
    to.put8(at, of.family ?? k.AF_UNSPEC);
    to.put32(at + 4, of.index ?? 3);
    to.put32(at + 8, of.flags ?? 0);
    attributes(to);
    to.end();
  };
}

/** A message about an address: struct ifaddrmsg, then these attributes. */
export function addressMessage(
  of: {
    readonly type?: number;
    readonly family?: number;
    readonly length?: number;
    readonly scope?: number;
    readonly index?: number;
  },
  attributes = nothing,
): Encode {
  return (to) => {
    to.begin(of.type ?? k.RTM_NEWADDR);
    const at = to.struct(8);
    to.put8(at, of.family ?? k.AF_INET);
    to.put8(at + 1, of.length ?? 16);
    to.put8(at + 3, of.scope ?? 0);
    to.put32(at + 4, of.index ?? 3);
    attributes(to);
    to.end();
  };
}

/** A message about a route: struct rtmsg, then these attributes. */
export function routeMessage(
  of: {
    readonly type?: number;
    readonly family?: number;
    readonly length?: number;
    readonly table?: number;
    readonly protocol?: number;
    readonly flags?: number;
  },
  attributes = nothing,
): Encode {
  return (to) => {
    to.begin(of.type ?? k.RTM_NEWROUTE);
    const at = to.struct(12);
    to.put8(at, of.family ?? k.AF_INET);
    to.put8(at + 1, of.length ?? 0);
    to.put8(at + 4, of.table ?? k.RT_TABLE_MAIN);
    to.put8(at + 5, of.protocol ?? k.RTPROT_STATIC);
    to.put8(at + 7, k.RTN_UNICAST);
    to.put32(at + 8, of.flags ?? 0);
    attributes(to);
    to.end();
  };
}

/** A message about a neighbour or an FDB entry: struct ndmsg, then these attributes. */
export function entryMessage(
  of: {
    readonly type?: number;
    readonly family?: number;
    readonly index?: number;
    readonly state?: number;
    readonly flags?: number;
  },
  attributes = nothing,
): Encode {
  return (to) => {
    to.begin(of.type ?? k.RTM_NEWNEIGH);
    const at = to.struct(12);
    to.put8(at, of.family ?? k.AF_BRIDGE);
    to.put32(at + 4, of.index ?? 3);
    to.put16(at + 8, of.state ?? k.NUD_PERMANENT);
    to.put8(at + 10, of.flags ?? 0);
    attributes(to);
    to.end();
  };
}

/** struct xfrm_usersa_info; struct xfrm_userpolicy_info. */
const [saInfo, policyInfo] = [224, 168];
/** An attribute that no decoder reads. */
const notRead = 200;

/** A notification about the SA of a message that makes one: the same, of another type. */
export function saMessage(add: Encode, type: number): Encode {
  return another(add, saInfo, type, (to, info) => to.buffer.set(info, to.struct(saInfo)));
}

/** The SA of a message that makes one, as notifications of deletions have it: after struct xfrm_usersa_id, in an attribute. */
export function saDeletion(add: Encode): Encode {
  return another(add, saInfo, xfrm.XFRM_MSG_DELSA, (to, info) => {
    to.struct(24);
    putBytes(to, notRead, ...info.map(() => 1));
    putBytes(to, xfrm.XFRMA_SA, ...info);
  });
}

/** The SA of a message that makes one, when a limit is reached: struct xfrm_user_expire has 8 bytes after the SA. */
export function saExpiry(add: Encode): Encode {
  return another(add, saInfo, xfrm.XFRM_MSG_EXPIRE, (to, info) => to.buffer.set(info, to.struct(saInfo + 8)));
}

/** The policy of a message that sets one, as notifications of deletions have it: after struct xfrm_userpolicy_id. */
export function policyDeletion(set: Encode): Encode {
  return another(set, policyInfo, xfrm.XFRM_MSG_DELPOLICY, (to, info) => {
    to.struct(64);
    putBytes(to, notRead, ...info.map(() => 1));
    putBytes(to, xfrm.XFRMA_POLICY, ...info);
  });
}

/** The message of an encoder with these attributes after its own. */
export function withMore(encode: Encode, attributes: Encode): Encode {
  return (to) => {
    encode(to);
    attributes(to);
    to.end();
  };
}

/** The message of an encoder with another type and fixed part; its attributes stay. */
function another(
  encode: Encode,
  size: number,
  type: number,
  put: (to: MessageWriter, fixed: Uint8Array) => void,
): Encode {
  const message = received(encode);
  const attributes = message.bytes.slice(message.start + size, message.end);
  return (to) => {
    to.begin(type);
    put(to, message.slice(0, size));
    to.buffer.set(attributes, to.struct(attributes.length));
    to.end();
  };
}
