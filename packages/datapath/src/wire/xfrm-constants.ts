/** Numbers of NETLINK_XFRM, under the names they have in the kernel's uapi header include/uapi/linux/xfrm.h. */

export const XFRM_MSG_NEWSA = 16;
export const XFRM_MSG_DELSA = 17;
export const XFRM_MSG_GETSA = 18;
export const XFRM_MSG_NEWPOLICY = 19;
export const XFRM_MSG_DELPOLICY = 20;
export const XFRM_MSG_GETPOLICY = 21;
export const XFRM_MSG_EXPIRE = 24;
export const XFRM_MSG_UPDPOLICY = 25;
export const XFRM_MSG_UPDSA = 26;
export const XFRM_MSG_POLEXPIRE = 27;
export const XFRM_MSG_FLUSHSA = 28;
export const XFRM_MSG_FLUSHPOLICY = 29;
export const XFRM_MSG_MAPPING = 38;

export const XFRMNLGRP_EXPIRE = 2;
export const XFRMNLGRP_SA = 3;
export const XFRMNLGRP_POLICY = 4;
export const XFRMNLGRP_MAPPING = 8;

export const XFRMA_ALG_AUTH = 1;
export const XFRMA_ALG_CRYPT = 2;
export const XFRMA_ENCAP = 4;
export const XFRMA_TMPL = 5;
export const XFRMA_SA = 6;
export const XFRMA_POLICY = 7;
export const XFRMA_ALG_AEAD = 18;
export const XFRMA_ALG_AUTH_TRUNC = 20;
export const XFRMA_MARK = 21;
export const XFRMA_REPLAY_ESN_VAL = 23;
export const XFRMA_IF_ID = 31;
/** Since Linux 5.17. Older kernels ignore the attribute. */
export const XFRMA_MTIMER_THRESH = 32;
/** Since Linux 6.10. Older kernels ignore the attribute. */
export const XFRMA_SA_DIR = 33;
export const XFRM_SA_DIR_IN = 1;
export const XFRM_SA_DIR_OUT = 2;
/** Since Linux 6.11. Older kernels ignore the attribute. */
export const XFRMA_NAT_KEEPALIVE_INTERVAL = 34;

export const XFRM_MODE_TRANSPORT = 0;
export const XFRM_STATE_ESN = 0x80;
export const XFRM_POLICY_IN = 0;
export const XFRM_POLICY_OUT = 1;
export const XFRM_POLICY_FWD = 2;
export const XFRM_POLICY_ALLOW = 0;
export const XFRM_POLICY_BLOCK = 1;
export const XFRM_POLICY_ICMP = 2;
/** No limit of bytes or packets. For times 0 means that there is no limit. */
export const XFRM_INF = 0xffff_ffff_ffff_ffffn;

// linux/in.h, linux/udp.h
export const IPPROTO_UDP = 17;
export const IPPROTO_ESP = 50;
export const UDP_ENCAP_ESPINUDP = 2;
