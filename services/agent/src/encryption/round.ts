import { hostNetns, newNamespace, type Op, plan, policyKey, type State } from '@causeway/datapath';
import {
  blocks,
  type HostPlan,
  type HostView,
  planHost,
  type RekeyReason,
  type StoredKeys,
} from '@causeway/encryption';
import { encryptedVxlanPort } from '@causeway/model';
import { onlyAdditions } from '../reconcile/additive-plan.ts';
import type { Ipsec } from './ipsec.ts';

/** What a host knows when it decides. */
export interface RoundView extends Omit<HostView, 'own'> {
  /** Without the index: the managers have not given it yet. */
  readonly own: Omit<HostView['own'], 'index'> & { readonly index: number | undefined };
  /** Whether the peers are all peers. If not, nothing is removed or changed that a peer may use. */
  readonly isComplete: boolean;
  /** Whether the host's present certificate has signed the record that the managers have. */
  readonly isSigned: boolean;
  /** Whether the kernel takes guards. If not, they stay as they are found. */
  readonly hasGuards: boolean;
}

/** What a host does in one round. The order of the fields is the order in which it is done. */
export interface Round extends Pick<HostPlan, 'keyring' | 'create' | 'delay' | 'receipts' | 'publish'> {
  /** What the kernel has of ours after the ops. */
  readonly held: Ipsec;
  readonly ops: readonly Op[];
}

/**
 * One decision from one read of the kernel. An SA that is lost after the read is not added by these ops, because it was found: the
 * next round finds that it is lost.
 */
export function planRound(
  { own, isComplete, isSigned, hasGuards, ...known }: RoundView,
  found: Ipsec,
  wanted: RekeyReason | undefined,
  now: number,
): Round {
  const { index } = own;
  const nothing = { keyring: known.stored.keyring, receipts: new Map() };
  const guarded = { portGuards: hasGuards ? guards : found.portGuards };
  if (index === undefined) return { ...nothing, ...additions(found, { ...onlyBlocks(), ...guarded }) };
  // Before all peers are known, no key is given up: a peer that is not known may use it.
  const published = isComplete ? known.published : 'unknown';
  const stored = isSigned ? known.stored : toSignAgain(known.stored, published);
  const next = planHost({ ...known, own: { ...own, index }, stored, published }, found, wanted, now);
  const { desired: planned, ...others } = next;
  const desired = { ...planned, ...guarded };
  return isComplete
    ? { ...others, held: desired, ops: plan(ipsecOf(found), ipsecOf(desired)) }
    : { ...others, ...additions(found, desired) };
}

/** The host namespace with these objects, and nothing else. */
export function ipsecOf({ xfrmStates, xfrmPolicies, encapSockets, portGuards }: Ipsec): State {
  return new Map([[hostNetns, { ...newNamespace(), xfrmStates, xfrmPolicies, encapSockets, portGuards }]]);
}

export const noIpsec: Ipsec = {
  ...{ xfrmStates: new Map(), xfrmPolicies: new Map() },
  ...{ encapSockets: new Map(), portGuards: new Map() },
};

/** What says once more what the blocks say, in nftables: one command removes either the policies or the guard. */
export const guards: Ipsec['portGuards'] = new Map([[encryptedVxlanPort, 'whole']]);

/** Nothing passes the port of encrypted tunnels. */
export function withoutDemands(found: Ipsec): Ipsec {
  return { ...found, xfrmPolicies: onlyBlocks().xfrmPolicies };
}

function onlyBlocks(): Ipsec {
  return { ...noIpsec, xfrmPolicies: new Map(blocks.map((block) => [policyKey(block), block])) };
}

function additions(found: Ipsec, desired: Ipsec): Pick<Round, 'held' | 'ops'> {
  const actual = ipsecOf(found);
  const held = {
    xfrmStates: new Map([...desired.xfrmStates, ...found.xfrmStates]),
    xfrmPolicies: new Map([...desired.xfrmPolicies, ...found.xfrmPolicies]),
    encapSockets: new Map([...desired.encapSockets, ...found.encapSockets]),
    portGuards: new Map([...found.portGuards, ...desired.portGuards]),
  };
  return { held, ops: onlyAdditions(plan(actual, ipsecOf(desired)), actual) };
}

/** The same keys in a record with the next version. A change that the managers do not have yet is signed anyway. */
function toSignAgain(stored: StoredKeys, published: HostView['published']): StoredKeys {
  const { keyring } = stored;
  if (published === 'unknown' || published?.version !== keyring.version) return stored;
  return { ...stored, keyring: { ...keyring, version: keyring.version + 1 } };
}
