/**
 * Numbers of nftables messages, under the names they have in the kernel's uapi headers linux/netfilter/nfnetlink.h,
 * linux/netfilter/nf_tables.h and linux/netfilter.h. Numbers in attributes are big-endian.
 */

export const NFNLGRP_NFTABLES = 7;
/** struct nfgenmsg: family u8, version u8, subsystem of a batch u16 big-endian. */
export const nfgenmsg = 4;
export const NFNL_SUBSYS_NFTABLES = 10;
export const NFNL_MSG_BATCH_BEGIN = 16;
export const NFNL_MSG_BATCH_END = 17;
export const NFPROTO_INET = 1;

/** Message types of the subsystem: the upper byte of a netlink message's type is the subsystem. */
const subsystem = NFNL_SUBSYS_NFTABLES << 8;
export const NFT_MSG_NEWTABLE = subsystem;
export const NFT_MSG_GETTABLE = subsystem | 1;
export const NFT_MSG_DELTABLE = subsystem | 2;
export const NFT_MSG_NEWCHAIN = subsystem | 3;
export const NFT_MSG_DELCHAIN = subsystem | 5;
export const NFT_MSG_NEWRULE = subsystem | 6;
export const NFT_MSG_GETRULE = subsystem | 7;
export const NFT_MSG_DELRULE = subsystem | 8;
/** All message types that the kernel has, or may have. */
export const allMessages: readonly number[] = Array.from({ length: 256 }, (_, n) => subsystem | n);

/** The table that an object belongs to has the same number in all of its messages. */
export const NFTA_TABLE_NAME = 1;
export const NFTA_TABLE_FLAGS = 2;
/** The hooks of the table do nothing. */
export const NFT_TABLE_F_DORMANT = 1;

export const NFTA_CHAIN_TABLE = 1;
export const NFTA_CHAIN_NAME = 3;
export const NFTA_CHAIN_HOOK = 4;
export const NFTA_CHAIN_POLICY = 5;
export const NFTA_CHAIN_TYPE = 7;
export const NFTA_HOOK_HOOKNUM = 1;
export const NFTA_HOOK_PRIORITY = 2;
export const NF_INET_LOCAL_IN = 1;
export const NF_INET_LOCAL_OUT = 3;
/** Verdicts, also as the policy of a chain. */
export const NF_DROP = 0;
export const NF_ACCEPT = 1;

export const NFTA_RULE_TABLE = 1;
export const NFTA_RULE_CHAIN = 2;
export const NFTA_RULE_EXPRESSIONS = 4;
export const NFTA_RULE_USERDATA = 7;
/** An element of the user data, as nft(8) writes and shows it: type u8, length u8, text with a terminating zero. */
export const NFTNL_UDATA_RULE_COMMENT = 0;

export const NFTA_LIST_ELEM = 1;
export const NFTA_EXPR_NAME = 1;
export const NFTA_EXPR_DATA = 2;
export const NFTA_DATA_VALUE = 1;
export const NFTA_DATA_VERDICT = 2;
export const NFTA_VERDICT_CODE = 1;
export const NFT_REG_VERDICT = 0;
export const NFT_REG_1 = 1;

/** The expressions "meta" and "rt" have the same attributes. */
export const NFTA_LOAD_DREG = 1;
export const NFTA_LOAD_KEY = 2;
export const NFT_META_L4PROTO = 16;
export const NFT_META_SECPATH = 25;
export const NFT_RT_XFRM = 4;
export const NFTA_PAYLOAD_DREG = 1;
export const NFTA_PAYLOAD_BASE = 2;
export const NFTA_PAYLOAD_OFFSET = 3;
export const NFTA_PAYLOAD_LEN = 4;
export const NFT_PAYLOAD_TRANSPORT_HEADER = 2;
export const NFTA_CMP_SREG = 1;
export const NFTA_CMP_OP = 2;
export const NFTA_CMP_DATA = 3;
export const NFT_CMP_EQ = 0;
export const NFTA_IMMEDIATE_DREG = 1;
export const NFTA_IMMEDIATE_DATA = 2;
