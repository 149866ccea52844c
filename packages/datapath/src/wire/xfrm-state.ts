import type { Ip } from '@causeway/model';
import {
  type AttributeReader,
  type Encode,
  type MessageReader,
  type MessageWriter,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
} from '@causeway/netlink';
import { isOurReqid } from '../owner.ts';
import { SaKey, saKeySize } from './sa-key.ts';
import {
  attributeOf,
  familyNumber,
  isPairSelector,
  putAddress,
  putPairSelector,
  readAddressesAt,
  selectorSize,
  viewOf,
} from './xfrm-bytes.ts';
import * as k from './xfrm-constants.ts';

/** An SA: ESP in transport mode (RFC 4303) between two addresses, one way. */
export interface XfrmState {
  /** "unknown": found on a kernel that does not record directions. */
  readonly direction: 'in' | 'out' | 'unknown';
  readonly src: Ip;
  readonly dst: Ip;
  readonly spi: number;
  /** Ties the SA to the policies that use it. Ours: `isOurReqid`. */
  readonly reqid: number;
  readonly key: SaKey;
  readonly limits: SaLimits;
  /** Ports of ESP in UDP (RFC 3948). Absent: plain ESP. An SA takes and sends only the one or the other. */
  readonly encap?: UdpPorts;
  /**
   * Found only: the port from which packets of the SA have come, if the kernel has said that it is not `encap.sport`. The NAT
   * before the peer has given the peer another port.
   */
  readonly arrivesFrom?: number;
  /**
   * It has the cipher, ICV, extended sequence numbers, replay window and selector that we program. Always true of a desired
   * SA. A found one without this is weaker than it should be.
   */
  readonly isStrict: boolean;
  /** What the kernel has counted. Only of found SAs; no comparison looks at it. */
  readonly counts?: SaCounts;
}

export interface SaCounts {
  /** What the SA has protected, or has received. */
  readonly bytes: number;
  readonly packets: number;
  /** When the SA was added, Unix seconds by the clock of the host. */
  readonly addedAt: number;
  /** Packets that were dropped because they had come before, or came too late for the window. */
  readonly replays: number;
}

export interface UdpPorts {
  readonly sport: number;
  readonly dport: number;
}

/** At a soft limit the kernel notifies, at a hard limit it deletes the SA. Absent: no limit. */
export interface SaLimits {
  readonly soft?: SaLimit;
  readonly hard?: SaLimit;
}

export interface SaLimit {
  readonly bytes?: number;
  readonly packets?: number;
  /** Since the SA was added. */
  readonly seconds?: number;
}

/** An SA of a namespace has a unique destination and SPI. */
export type SaId = Pick<XfrmState, 'dst' | 'spi'>;

/** RFC 4106: AES-GCM in ESP. */
export const algorithm = 'rfc4106(gcm(aes))';
/** Bits. */
export const icvLength = 128;
/** Packets. A packet that is late by more is dropped as a replay: reordering between cores and links stays far below. */
export const replayWindow = 256;

/**
 * Seconds. A NAT may forget a mapping after 30 s without packets, so a keepalive goes out after 20 (RFC 3948 §4). The kernel sends
 * them, whether or not an agent runs.
 */
const keepaliveAfter = 20;
/** Seconds. The kernel notifies of packets that come from another port once in this time, and not for each packet. */
const mappingPause = 1;

/** struct xfrm_usersa_info; struct xfrm_usersa_id. */
const usersaInfo = 224;
const usersaId = 24;
/** Offsets in struct xfrm_usersa_info. */
const at = {
  dst: 56,
  spi: 72,
  protocol: 76,
  src: 80,
  limits: 96,
  current: 160,
  stats: 192,
  reqid: 208,
  family: 212,
  mode: 214,
  flags: 216,
} as const;
/** struct xfrm_algo_aead: name, key length and ICV length in bits, key. */
const aead = { keyBits: 64, icvBits: 68, key: 72 } as const;
/** struct xfrm_replay_state_esn: bmp_len in words, oseq, seq, oseq_hi, seq_hi, window, bmp[]. */
const esn = { words: 0, window: 20, bitmap: 24 } as const;
/** struct xfrm_encap_tmpl: type u16, sport be16, dport be16, pad, oa. */
const encapTemplate = 24;

/**
 * ip xfrm state add src SRC dst DST proto esp spi SPI reqid REQID mode transport … aead NAME KEY 128 …
 * `form`: "directed" is for Linux since 6.10. It says in which direction the SA works, and an SA that sends then has no
 * replay window. Older kernels refuse an SA without a window (EINVAL), which is what "undirected" has.
 */
export function addState(state: XfrmState, form: 'directed' | 'undirected'): Encode {
  return (to) => writeState(to, state, form, k.XFRM_MSG_NEWSA, NLM_F_CREATE | NLM_F_EXCL);
}

/** ip xfrm state update …: puts the SA in the place of one that the kernel has made itself, while it waits for an SA. */
export function replaceLarval(state: XfrmState, form: 'directed' | 'undirected'): Encode {
  return (to) => writeState(to, state, form, k.XFRM_MSG_UPDSA, 0);
}

/**
 * ip xfrm state update … encap …: changes the ports of an SA, and nothing else. The kernel keeps the key and the counters of the SA
 * that it has (xfrm_state_update), so the key in the message is not needed, and must not be the SA's: if the SA has just been lost,
 * and the kernel has made a larval one since, the message makes a new SA, whose counter begins again.
 */
export function changePorts(state: XfrmState, form: 'directed' | 'undirected'): Encode {
  return (to) => writeState(to, { ...state, key: state.key.decoy() }, form, k.XFRM_MSG_UPDSA, 0);
}

/** ip xfrm state delete src SRC dst DST proto esp spi SPI */
export function deleteState(id: SaId): Encode {
  return (to) => writeId(to, id, k.XFRM_MSG_DELSA);
}

/** ip xfrm state get src SRC dst DST proto esp spi SPI */
export function getState(id: SaId): Encode {
  return (to) => writeId(to, id, k.XFRM_MSG_GETSA);
}

/** ip xfrm state list */
export const dumpStates: Encode = (to) => {
  to.begin(k.XFRM_MSG_GETSA, NLM_F_DUMP);
  to.end();
};

/**
 * The SA that a message describes. Every key in the message is overwritten. undefined: the SA is not ours, or is larval: made
 * by the kernel itself when a packet found no SA.
 */
export function readState(message: MessageReader): XfrmState | undefined {
  const found = readInfo(message);
  const parts = readParts(attributesOf(message));
  if (found === undefined || parts.key === undefined || parts.isMarked) return undefined;
  const direction = parts.direction ?? 'unknown';
  const hasWindow = direction === 'out' || parts.window === replayWindow;
  return {
    direction,
    ...found,
    key: parts.key,
    ...(parts.encap !== undefined && { encap: parts.encap }),
    isStrict: found.isStrict && parts.isStrict && hasWindow,
  };
}

/** What the SA that a message describes is: "larval" is one of ours that the kernel has made itself. */
export function kindOfState(message: MessageReader): 'ours' | 'larval' | 'foreign' {
  const { key } = readParts(attributesOf(message));
  if (readInfo(message) === undefined) return 'foreign';
  return key === undefined ? 'larval' : 'ours';
}

function writeState(
  to: MessageWriter,
  state: XfrmState,
  form: 'directed' | 'undirected',
  type: number,
  flags: number,
): void {
  to.begin(type, flags);
  const info = to.struct(usersaInfo);
  putPairSelector(to, info, state.src, state.dst);
  putAddress(to, info + at.dst, state.dst);
  to.put32be(info + at.spi, state.spi);
  to.put8(info + at.protocol, k.IPPROTO_ESP);
  putAddress(to, info + at.src, state.src);
  putLimits(to, info + at.limits, state.limits);
  to.put32(info + at.reqid, state.reqid);
  to.put16(info + at.family, familyNumber(state.dst));
  to.put8(info + at.mode, k.XFRM_MODE_TRANSPORT);
  to.put8(info + at.flags, k.XFRM_STATE_ESN);
  putKey(to, state.key);
  const isDirected = form === 'directed' && state.direction !== 'unknown';
  const window = isDirected && state.direction === 'out' ? 0 : replayWindow;
  const replay = to.attribute(k.XFRMA_REPLAY_ESN_VAL, esn.bitmap + window / 8);
  to.put32(replay + esn.words, window / 32);
  to.put32(replay + esn.window, window);
  if (state.encap !== undefined) {
    const encap = to.attribute(k.XFRMA_ENCAP, encapTemplate);
    to.put16(encap, k.UDP_ENCAP_ESPINUDP);
    to.put16be(encap + 2, state.encap.sport);
    to.put16be(encap + 4, state.encap.dport);
    if (isDirected && state.direction === 'out') to.u32(k.XFRMA_NAT_KEEPALIVE_INTERVAL, keepaliveAfter);
    if (isDirected && state.direction === 'in') to.u32(k.XFRMA_MTIMER_THRESH, mappingPause);
  }
  if (isDirected) to.u8(k.XFRMA_SA_DIR, state.direction === 'in' ? k.XFRM_SA_DIR_IN : k.XFRM_SA_DIR_OUT);
  to.end();
}

function putKey(to: MessageWriter, key: SaKey): void {
  to.hasSecrets();
  const offset = to.attribute(k.XFRMA_ALG_AEAD, aead.key + saKeySize);
  for (let n = 0; n < algorithm.length; n++) to.put8(offset + n, algorithm.charCodeAt(n));
  to.put32(offset + aead.keyBits, saKeySize * 8);
  to.put32(offset + aead.icvBits, icvLength);
  to.buffer.set(key.reveal(), offset + aead.key);
}

/** struct xfrm_lifetime_cfg: soft and hard bytes, soft and hard packets, soft and hard seconds since the SA was added. */
function putLimits(to: MessageWriter, offset: number, { soft, hard }: SaLimits): void {
  const amounts = [soft?.bytes, hard?.bytes, soft?.packets, hard?.packets];
  for (const [n, amount] of amounts.entries()) {
    to.put64(offset + 8 * n, amount === undefined ? k.XFRM_INF : BigInt(amount));
  }
  to.put64(offset + 32, BigInt(soft?.seconds ?? 0));
  to.put64(offset + 40, BigInt(hard?.seconds ?? 0));
}

function readLimits(view: DataView, offset: number): SaLimits {
  const read = (n: number, none: bigint): number | undefined => {
    const value = view.getBigUint64(offset + 8 * n, true);
    return value === none ? undefined : Number(value);
  };
  const limit = (n: 0 | 1): SaLimit | undefined => {
    const [bytes, packets, seconds] = [read(n, k.XFRM_INF), read(2 + n, k.XFRM_INF), read(4 + n, 0n)];
    const found = {
      ...(bytes !== undefined && { bytes }),
      ...(packets !== undefined && { packets }),
      ...(seconds !== undefined && { seconds }),
    };
    return Object.keys(found).length === 0 ? undefined : found;
  };
  const [soft, hard] = [limit(0), limit(1)];
  return { ...(soft && { soft }), ...(hard && { hard }) };
}

/**
 * struct xfrm_lifetime_cur: bytes, packets, seconds at which the SA was added and first used; struct xfrm_stats: packets too late
 * for the window, replays, and packets with a wrong ICV.
 */
function readCounts(view: DataView): SaCounts {
  const amount = (n: number): number => Number(view.getBigUint64(at.current + 8 * n, true));
  const replays = view.getUint32(at.stats, true) + view.getUint32(at.stats + 4, true);
  return { bytes: amount(0), packets: amount(1), addedAt: amount(2), replays };
}

function writeId(to: MessageWriter, { dst, spi }: SaId, type: number): void {
  to.begin(type);
  const id = to.struct(usersaId);
  putAddress(to, id, dst);
  to.put32be(id + 16, spi);
  to.put16(id + 20, familyNumber(dst));
  to.put8(id + 22, k.IPPROTO_ESP);
  to.end();
}

/** struct xfrm_usersa_info of a message; undefined: it has none. Notifications of deletions have it in an attribute. */
function infoOf(message: MessageReader): Uint8Array | undefined {
  const info =
    message.type === k.XFRM_MSG_DELSA
      ? attributeOf(message.attributes(usersaId), k.XFRMA_SA)
      : message.slice(0, usersaInfo);
  return info === undefined || info.length < usersaInfo ? undefined : info;
}

function attributesOf(message: MessageReader): AttributeReader {
  // struct xfrm_user_expire has a byte, padded to 8, after the SA.
  const expire = message.type === k.XFRM_MSG_EXPIRE ? 8 : 0;
  return message.attributes(message.type === k.XFRM_MSG_DELSA ? usersaId : usersaInfo + expire);
}

/** undefined: not ours. */
function readInfo(
  message: MessageReader,
): Required<Pick<XfrmState, 'src' | 'dst' | 'spi' | 'reqid' | 'limits' | 'isStrict' | 'counts'>> | undefined {
  const info = infoOf(message);
  if (info === undefined) return undefined;
  const view = viewOf(info);
  const ends = readAddressesAt(info, at, view.getUint16(at.family, true));
  const reqid = view.getUint32(at.reqid, true);
  if (ends === undefined) return undefined;
  if (!isOurReqid(reqid) || view.getUint8(at.protocol) !== k.IPPROTO_ESP) return undefined;
  return {
    ...{ ...ends, spi: view.getUint32(at.spi), reqid },
    limits: readLimits(view, at.limits),
    counts: readCounts(view),
    isStrict:
      isPairSelector(info.subarray(0, selectorSize), ends.src, ends.dst) &&
      view.getUint8(at.mode) === k.XFRM_MODE_TRANSPORT &&
      (view.getUint8(at.flags) & k.XFRM_STATE_ESN) !== 0,
  };
}

interface Parts {
  key?: SaKey;
  /** The cipher and the length of the ICV are ours. */
  isStrict: boolean;
  window: number;
  direction?: 'in' | 'out';
  encap?: UdpPorts;
  /** It is only for packets with a mark, or of an xfrm interface: we make no such SA. */
  isMarked: boolean;
}

function readParts(attributes: AttributeReader): Parts {
  const parts: Parts = { isStrict: false, window: 0, isMarked: false };
  while (attributes.next()) {
    const { type } = attributes;
    if (type === k.XFRMA_ALG_AEAD) readKey(attributes.slice(), parts);
    else if (type === k.XFRMA_ALG_AUTH || type === k.XFRMA_ALG_CRYPT || type === k.XFRMA_ALG_AUTH_TRUNC) {
      attributes.slice().fill(0);
    } else if (type === k.XFRMA_REPLAY_ESN_VAL && attributes.length >= esn.bitmap) {
      parts.window = viewOf(attributes.slice()).getUint32(esn.window, true);
    } else if (type === k.XFRMA_SA_DIR) parts.direction = attributes.u8() === k.XFRM_SA_DIR_IN ? 'in' : 'out';
    else if (type === k.XFRMA_ENCAP && attributes.length >= encapTemplate) {
      const view = viewOf(attributes.slice());
      parts.encap = { sport: view.getUint16(2), dport: view.getUint16(4) };
    } else if (type === k.XFRMA_MARK || type === k.XFRMA_IF_ID) parts.isMarked = true;
  }
  return parts;
}

function readKey(value: Uint8Array, parts: Parts): void {
  const view = viewOf(value);
  const isWhole = value.length >= aead.key + saKeySize;
  const name = String.fromCharCode(...value.subarray(0, algorithm.length + 1));
  parts.isStrict =
    isWhole &&
    name === `${algorithm}\0` &&
    view.getUint32(aead.keyBits, true) === saKeySize * 8 &&
    view.getUint32(aead.icvBits, true) === icvLength;
  parts.key = SaKey.take(value.subarray(aead.key));
}
