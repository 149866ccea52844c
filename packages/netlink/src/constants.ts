/**
 * Numbers that all netlink protocols share, under the names they have in the kernel's uapi header
 * include/uapi/linux/netlink.h. All multi-byte fields are in host byte order unless a comment says otherwise.
 */

/** Protocols: what a socket speaks. */
export const NETLINK_ROUTE = 0;
export const NETLINK_XFRM = 6;
export const NETLINK_NETFILTER = 12;
export const NETLINK_GENERIC = 16;

export const NLM_F_REQUEST = 0x1;
/** One of several messages that make up a dump. */
export const NLM_F_MULTI = 0x2;
export const NLM_F_ACK = 0x4;
/** The dump was interrupted by a change: what was read may be torn, ask again. */
export const NLM_F_DUMP_INTR = 0x10;
export const NLM_F_DUMP = 0x300;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
/** An NLMSG_ERROR carries no copy of the request beyond its header. */
export const NLM_F_CAPPED = 0x100;
/** An NLMSG_ERROR carries attributes after the request. */
export const NLM_F_ACK_TLVS = 0x200;

export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
export const NLMSGERR_ATTR_MSG = 1;

/** An attribute that contains attributes. Most of the kernel does not ask for the flag. */
export const NLA_F_NESTED = 0x8000;
/** Clears NLA_F_NESTED and NLA_F_NET_BYTEORDER from an attribute's type. */
export const NLA_TYPE_MASK = 0x3fff;
