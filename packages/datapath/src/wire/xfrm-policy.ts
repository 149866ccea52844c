import type { Ip } from '@causeway/model';
import { type Encode, type MessageReader, type MessageWriter, NLM_F_DUMP } from '@causeway/netlink';
import { isOurPriority, isOurReqid } from '../owner.ts';
import {
  attributeOf,
  familyNumber,
  putAddress,
  putSelector,
  readAddressesAt,
  readSelector,
  type Selector,
  selectorSize,
  viewOf,
} from './xfrm-bytes.ts';
import * as k from './xfrm-constants.ts';

export type { Selector } from './xfrm-bytes.ts';

/** What the host does with packets that it sends, receives or forwards: the matching policy with the smallest priority counts. */
export interface XfrmPolicy {
  readonly direction: 'in' | 'out' | 'fwd';
  readonly selector: Selector;
  /** Ours: `isOurPriority`. */
  readonly priority: number;
  readonly action: PolicyAction;
}

/**
 * "block": the packets are dropped. "esp": they must be protected by an SA with this reqid and, if it is given, this SPI.
 * "other": found, and never desired. It may let packets, or ICMP errors about them, pass in the clear.
 */
export type PolicyAction =
  | { readonly kind: 'block' }
  | { readonly kind: 'esp'; readonly src: Ip; readonly dst: Ip; readonly reqid: number; readonly spi?: number }
  | { readonly kind: 'other' };

/** A policy of a namespace has a unique direction and selector. */
export type PolicyId = Pick<XfrmPolicy, 'direction' | 'selector'>;

/** struct xfrm_userpolicy_info; struct xfrm_userpolicy_id; struct xfrm_user_tmpl. */
const userpolicyInfo = 168;
const userpolicyId = 64;
const userTmpl = 64;
/** Offsets in struct xfrm_userpolicy_info, and of the direction in struct xfrm_userpolicy_id. */
const at = { limits: 56, priority: 152, direction: 160, action: 161, flags: 162 } as const;
const idDirection = 60;
/** Offsets in struct xfrm_user_tmpl. */
const tmpl = {
  dst: 0,
  spi: 16,
  protocol: 20,
  family: 24,
  src: 28,
  reqid: 44,
  mode: 48,
  optional: 50,
  algorithms: 52,
} as const;

const directions = { in: k.XFRM_POLICY_IN, out: k.XFRM_POLICY_OUT, fwd: k.XFRM_POLICY_FWD } as const;

/**
 * An ICMP error quotes the packet that it answers, in the clear if that came in ESP. With this flag, the error is sent as the policy
 * of an answer to the packet says: in ESP, or not at all. Tunnels send from the port that they send to, so that it applies.
 */
function flagsOf(direction: XfrmPolicy['direction']): number {
  return direction === 'out' ? k.XFRM_POLICY_ICMP : 0;
}

/** ip xfrm policy update src SRC dst DST proto udp … dir DIR priority N …: makes the policy, or changes it in one step. */
export function setPolicy(policy: XfrmPolicy): Encode {
  return (to) => {
    to.begin(k.XFRM_MSG_UPDPOLICY);
    const info = to.struct(userpolicyInfo);
    putSelector(to, info, policy.selector);
    // No limits of bytes and packets, and (0) none of time.
    for (let n = 0; n < 4; n++) to.put64(info + at.limits + 8 * n, k.XFRM_INF);
    to.put32(info + at.priority, policy.priority);
    to.put8(info + at.direction, directions[policy.direction]);
    to.put8(info + at.action, policy.action.kind === 'esp' ? k.XFRM_POLICY_ALLOW : k.XFRM_POLICY_BLOCK);
    to.put8(info + at.flags, flagsOf(policy.direction));
    if (policy.action.kind === 'esp') putTemplate(to, policy.action);
    to.end();
  };
}

/** ip xfrm policy delete src SRC dst DST proto udp … dir DIR */
export function deletePolicy(id: PolicyId): Encode {
  return (to) => writeId(to, id, k.XFRM_MSG_DELPOLICY);
}

/** ip xfrm policy get src SRC dst DST proto udp … dir DIR */
export function getPolicy(id: PolicyId): Encode {
  return (to) => writeId(to, id, k.XFRM_MSG_GETPOLICY);
}

/** ip xfrm policy list */
export const dumpPolicies: Encode = (to) => {
  to.begin(k.XFRM_MSG_GETPOLICY, NLM_F_DUMP);
  to.end();
};

/** The policy that a message describes. undefined: it is not ours. */
export function readPolicy(message: MessageReader): XfrmPolicy | undefined {
  const view = infoOf(message);
  const priority = view?.getUint32(at.priority, true);
  if (view === undefined || priority === undefined || !isOurPriority(priority)) return undefined;
  const id = readPolicyId(message);
  const template = readTemplates(message);
  if (id === undefined || template === 'foreign') return undefined;
  const { direction, selector } = id;
  const isBlock = view.getUint8(at.action) === k.XFRM_POLICY_BLOCK;
  if (view.getUint8(at.flags) !== flagsOf(direction))
    return { direction, selector, priority, action: { kind: 'other' } };
  return { direction, selector, priority, action: isBlock ? { kind: 'block' } : template };
}

/** Which policy a message describes, of any program. undefined: it is never in the place of one of ours. */
export function readPolicyId(message: MessageReader): PolicyId | undefined {
  const view = infoOf(message);
  if (view === undefined || isNarrowed(message)) return undefined;
  const selector = readSelector(new Uint8Array(view.buffer, view.byteOffset, selectorSize));
  const direction = directionOf(view.getUint8(at.direction));
  return selector !== undefined && direction !== undefined ? { direction, selector } : undefined;
}

function putTemplate(to: MessageWriter, { src, dst, reqid, spi }: PolicyAction & { kind: 'esp' }): void {
  const offset = to.attribute(k.XFRMA_TMPL, userTmpl);
  putAddress(to, offset + tmpl.dst, dst);
  to.put32be(offset + tmpl.spi, spi ?? 0);
  to.put8(offset + tmpl.protocol, k.IPPROTO_ESP);
  to.put16(offset + tmpl.family, familyNumber(dst));
  putAddress(to, offset + tmpl.src, src);
  to.put32(offset + tmpl.reqid, reqid);
  to.put8(offset + tmpl.mode, k.XFRM_MODE_TRANSPORT);
  // aalgos, ealgos, calgos: any. The reqid ties the policy to our SAs.
  for (let n = 0; n < 3; n++) to.put32(offset + tmpl.algorithms + 4 * n, 0xffff_ffff);
}

/** What the templates demand. "foreign": an SA of another program; "other": none, several, or one that we never make. */
function readTemplates(message: MessageReader): PolicyAction | 'foreign' {
  let templates: Uint8Array = new Uint8Array(0);
  const attributes = message.attributes(fixedSize(message));
  while (attributes.next()) if (attributes.type === k.XFRMA_TMPL) templates = attributes.slice();
  if (templates.length < userTmpl) return { kind: 'other' };
  const view = viewOf(templates);
  const reqid = view.getUint32(tmpl.reqid, true);
  if (!isOurReqid(reqid)) return 'foreign';
  const ends = readAddressesAt(templates, tmpl, view.getUint16(tmpl.family, true));
  const isStrict =
    templates.length === userTmpl &&
    view.getUint8(tmpl.protocol) === k.IPPROTO_ESP &&
    view.getUint8(tmpl.mode) === k.XFRM_MODE_TRANSPORT &&
    view.getUint8(tmpl.optional) === 0;
  if (!isStrict || ends === undefined) return { kind: 'other' };
  const spi = view.getUint32(tmpl.spi);
  return { kind: 'esp', ...ends, reqid, ...(spi !== 0 && { spi }) };
}

/** Whether the policy is only for packets with a mark, or of an xfrm interface: we make no such policy, and the kernel keeps it apart. */
function isNarrowed(message: MessageReader): boolean {
  const attributes = message.attributes(fixedSize(message));
  while (attributes.next()) if (attributes.type === k.XFRMA_MARK || attributes.type === k.XFRMA_IF_ID) return true;
  return false;
}

/** The struct xfrm_userpolicy_info of a message. */
function infoOf(message: MessageReader): DataView | undefined {
  const info = isDeletion(message)
    ? attributeOf(message.attributes(userpolicyId), k.XFRMA_POLICY)
    : message.slice(0, userpolicyInfo);
  return info === undefined || info.length < userpolicyInfo ? undefined : viewOf(info);
}

function fixedSize(message: MessageReader): number {
  return isDeletion(message) ? userpolicyId : userpolicyInfo;
}

function isDeletion({ type }: MessageReader): boolean {
  return type === k.XFRM_MSG_DELPOLICY;
}

function directionOf(value: number): XfrmPolicy['direction'] | undefined {
  return (['in', 'out', 'fwd'] as const).find((each) => directions[each] === value);
}

function writeId(to: MessageWriter, { direction, selector }: PolicyId, type: number): void {
  to.begin(type);
  const id = to.struct(userpolicyId);
  putSelector(to, id, selector);
  to.put8(id + idDirection, directions[direction]);
  to.end();
}
