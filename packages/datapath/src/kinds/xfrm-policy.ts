import { assertNever, encryptedVxlanPort } from '@causeway/model';
import { type MessageReader, NETLINK_XFRM } from '@causeway/netlink';
import { isOurLink } from '../owner.ts';
import type { NetnsPath } from '../state.ts';
import * as k from '../wire/xfrm-constants.ts';
import {
  deletePolicy,
  dumpPolicies,
  getPolicy,
  type PolicyAction,
  type PolicyId,
  readPolicy,
  readPolicyId,
  type Selector,
  setPolicy,
  type XfrmPolicy,
} from '../wire/xfrm-policy.ts';
import { sendAll } from './ask.ts';
import { compareMaps } from './compare-maps.ts';
import { isSame, type Same } from './equal.ts';
import type { Kind, Reading } from './kind.ts';
import { byKey, describeDifference, tool } from './printing.ts';
import { dumpXfrm } from './xfrm-dump.ts';
import { deleteOurs } from './xfrm-runs.ts';
import { printSpi } from './xfrm-state.ts';

export type { PolicyAction, Selector, XfrmPolicy } from '../wire/xfrm-policy.ts';

/**
 * "set" makes the policy, or changes it in one step: packets meet the former policy or the new one. It also replaces a foreign policy
 * of the same direction and selector, because packets would leave in the clear while that is in the place of ours. All other
 * foreign policies stay. "delete" leaves every foreign policy.
 */
export type XfrmPolicyOp = {
  readonly op: 'xfrmPolicy.set' | 'xfrmPolicy.delete';
  readonly netns: NetnsPath;
  readonly policy: XfrmPolicy;
};

const same: Same<XfrmPolicy> = {
  direction: (a, b) => a.direction === b.direction,
  selector: (a, b) => isSameSelector(a.selector, b.selector),
  priority: (a, b) => a.priority === b.priority,
  action: (a, b) => isSameAction(a.action, b.action),
};

/** Policies of UDP packets, with a priority of ours. */
export const xfrmPolicy: Kind<'xfrm policy', string, XfrmPolicy, XfrmPolicyOp> = {
  name: 'xfrm policy',
  slot: 'xfrmPolicies',
  ops: ['xfrmPolicy.set', 'xfrmPolicy.delete'],
  isOfHost: true,
  stage: 'entry',
  compare: (found, desired) => compareMaps(found?.xfrmPolicies, desired?.xfrmPolicies, samePolicy),
  isOurs: isOurLink,
  describe: (difference) => ({ key: difference.key, ...describeDifference(difference, printContent) }),
  list: ({ xfrmPolicies }) => [...xfrmPolicies].sort(byKey).map(([, each]) => `xfrm policy ${printPolicy(each)}`),

  steps(netns, { actual, desired }) {
    const policy = desired ?? actual;
    if (policy === undefined) return [];
    const isBlock = policy.action.kind === 'block';
    return desired === undefined
      ? [[isBlock ? 'unblock' : 'delete policy', { op: 'xfrmPolicy.delete', netns, policy }]]
      : [[isBlock ? 'block' : 'set policy', { op: 'xfrmPolicy.set', netns, policy }]];
  },
  print({ op, netns, policy }) {
    const ip = tool('ip', netns);
    return op === 'xfrmPolicy.set'
      ? `${ip} xfrm policy update ${printPolicy(policy)}`
      : `${ip} xfrm policy delete ${printId(policy)}`;
  },
  device: () => undefined,
  /** A block protects, and disturbs only what must not be. A policy that is there may name the SA that the peer uses. */
  additive(op, found) {
    if (op.op === 'xfrmPolicy.delete') return undefined;
    return found?.xfrmPolicies.has(policyKey(op.policy)) === true ? undefined : op;
  },

  real: {
    protocol: NETLINK_XFRM,
    groups: [k.XFRMNLGRP_POLICY, k.XFRMNLGRP_EXPIRE],
    events: new Map([
      [k.XFRM_MSG_NEWPOLICY, isNews],
      [k.XFRM_MSG_UPDPOLICY, isNews],
      [k.XFRM_MSG_DELPOLICY, isNews],
      [k.XFRM_MSG_POLEXPIRE, () => false], // ours have no limits
      [k.XFRM_MSG_FLUSHPOLICY, () => true],
    ]),
    read: readPolicies,
    applyRun(to, ops) {
      const [first] = ops;
      if (first === undefined) return new Map();
      const socket = to.socket(first.netns, NETLINK_XFRM);
      const policies = ops.map(({ policy }) => policy);
      if (first.op === 'xfrmPolicy.set') return sendAll(socket, policies.map(setPolicy));
      return deleteOurs(socket, {
        asked: policies.map(getPolicy),
        isForeign: (message) => readPolicy(message) === undefined,
        deletes: policies.map(deletePolicy),
      });
    },
  },
};

/** The policy's key in `Namespace.xfrmPolicies`. */
export function policyKey({ direction, selector }: PolicyId): string {
  return `${direction} ${printSelector(selector)}`;
}

export function samePolicy(a: XfrmPolicy, b: XfrmPolicy): boolean {
  return isSame(same, a, b);
}

function isSameSelector(a: Selector, b: Selector): boolean {
  return a.src === b.src && a.dst === b.dst && a.sport === b.sport && a.dport === b.dport;
}

function isSameAction(a: PolicyAction, b: PolicyAction): boolean {
  if (a.kind !== 'esp' || b.kind !== 'esp') return a.kind === b.kind;
  return a.src === b.src && a.dst === b.dst && a.reqid === b.reqid && a.spi === b.spi;
}

/**
 * Whether a change of a policy concerns ours. The kernel knows a policy by direction and selector, and names only the new policy when
 * one replaces another. So a policy of any program counts if its selector is one that ours may have.
 */
function isNews(message: MessageReader): boolean {
  if (readPolicy(message) !== undefined) return true;
  const selector = readPolicyId(message)?.selector;
  return selector?.dport === encryptedVxlanPort || selector?.sport === encryptedVxlanPort;
}

function printPolicy(policy: XfrmPolicy): string {
  return `${printId(policy)} ${printContent(policy)}`;
}

function printId({ direction, selector }: PolicyId): string {
  return `${printSelector(selector)} dir ${direction}`;
}

function printContent({ direction, priority, action }: XfrmPolicy): string {
  const flag = direction === 'out' && action.kind !== 'other' ? ' flag icmp' : '';
  return `priority ${priority}${flag} ${printAction(action)}`;
}

function printSelector({ src, dst, sport, dport }: Selector): string {
  const ports = [
    ...(sport === undefined ? [] : [`sport ${sport}`]),
    ...(dport === undefined ? [] : [`dport ${dport}`]),
  ];
  return [`src ${src} dst ${dst} proto udp`, ...ports].join(' ');
}

function printAction(action: PolicyAction): string {
  switch (action.kind) {
    case 'block':
      return 'action block';
    case 'other':
      return '(not as we make it)';
    case 'esp': {
      const spi = action.spi === undefined ? '' : ` spi ${printSpi(action.spi)}`;
      return `tmpl src ${action.src} dst ${action.dst} proto esp${spi} reqid ${action.reqid} mode transport`;
    }
    default:
      return assertNever(action);
  }
}

function readPolicies(from: Reading): Promise<ReadonlyMap<string, XfrmPolicy>> {
  return dumpXfrm(from, dumpPolicies, (found: Map<string, XfrmPolicy>, message) => {
    const policy = readPolicy(message);
    if (policy !== undefined) found.set(policyKey(policy), policy);
  });
}
