/**
 * Numbers that all netlink protocols share, under the names they have in the kernel's uapi header
 * include/uapi/linux/netlink.h. All multi-byte fields are in host byte order unless a comment says otherwise.
 */

/** Netlink protocols. */
export const NETLINK_ROUTE = 0;
export const NETLINK_XFRM = 6;
export const NETLINK_NETFILTER = 12;
export const NETLINK_GENERIC = 16;

export const NLM_F_REQUEST = 0x1;
/** The message is part of a dump of several messages. */
export const NLM_F_MULTI = 0x2;
export const NLM_F_ACK = 0x4;
/** A change interrupted the dump: the result may be inconsistent and must be read again. */
export const NLM_F_DUMP_INTR = 0x10;
export const NLM_F_DUMP = 0x300;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
/** The NLMSG_ERROR contains only the header of the request. */
export const NLM_F_CAPPED = 0x100;
/** The NLMSG_ERROR has attributes after the request. */
export const NLM_F_ACK_TLVS = 0x200;

export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
export const NLMSGERR_ATTR_MSG = 1;

/** Marks an attribute that contains attributes. Most of the kernel does not require the flag. */
export const NLA_F_NESTED = 0x8000;
/** Mask that removes NLA_F_NESTED and NLA_F_NET_BYTEORDER from an attribute's type. */
export const NLA_TYPE_MASK = 0x3fff;
