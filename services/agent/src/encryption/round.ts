import { hostNetns, newNamespace, type Op, plan, policyKey, type State } from '@causeway/datapath';
import {
  blocks,
  type FoundIpsec,
  type HostPlan,
  type HostView,
  planHost,
  type RekeyReason,
  type StoredKeys,
} from '@causeway/encryption';
import { onlyAdditions } from '../reconcile/additive-plan.ts';

/** What a host knows when it decides. */
export interface RoundView extends Omit<HostView, 'own'> {
  /** Without the index: the managers have not given it yet. */
  readonly own: Omit<HostView['own'], 'index'> & { readonly index: number | undefined };
  /** Whether the peers are all peers. If not, nothing is removed or changed that a peer may use. */
  readonly isComplete: boolean;
  /** Whether the host's present certificate has signed the record that the managers have. */
  readonly isSigned: boolean;
}

/** What a host does in one round. The order of the fields is the order in which it is done. */
export interface Round extends Pick<HostPlan, 'keyring' | 'create' | 'delay' | 'receipts' | 'publish'> {
  /** What the kernel has of ours after the ops. */
  readonly held: FoundIpsec;
  readonly ops: readonly Op[];
}

/**
 * One decision from one read of the kernel. An SA that is lost after the read is not added by these ops, because it was found: the
 * next round finds that it is lost.
 */
export function planRound(
  { own, isComplete, isSigned, ...known }: RoundView,
  found: FoundIpsec,
  wanted: RekeyReason | undefined,
  now: number,
): Round {
  const { index } = own;
  const nothing = { keyring: known.stored.keyring, receipts: new Map() };
  if (index === undefined) return { ...nothing, ...additions(found, onlyBlocks()) };
  // Before all peers are known, no key is given up: a peer that is not known may use it.
  const published = isComplete ? known.published : 'unknown';
  const stored = isSigned ? known.stored : toSignAgain(known.stored, published);
  const next = planHost({ ...known, own: { ...own, index }, stored, published }, found, wanted, now);
  const { desired, ...others } = next;
  return isComplete
    ? { ...others, held: desired, ops: plan(ipsecOf(found), ipsecOf(desired)) }
    : { ...others, ...additions(found, desired) };
}

/** The host namespace with these objects, and nothing else. */
export function ipsecOf({ xfrmStates, xfrmPolicies, encapSockets }: FoundIpsec): State {
  return new Map([[hostNetns, { ...newNamespace(), xfrmStates, xfrmPolicies, encapSockets }]]);
}

export const noIpsec: FoundIpsec = { xfrmStates: new Map(), xfrmPolicies: new Map(), encapSockets: new Map() };

/** Nothing passes the port of encrypted tunnels. */
export function withoutDemands(found: FoundIpsec): FoundIpsec {
  return { ...found, xfrmPolicies: onlyBlocks().xfrmPolicies };
}

function onlyBlocks(): FoundIpsec {
  return { ...noIpsec, xfrmPolicies: new Map(blocks.map((block) => [policyKey(block), block])) };
}

function additions(found: FoundIpsec, desired: FoundIpsec): Pick<Round, 'held' | 'ops'> {
  const actual = ipsecOf(found);
  const held = {
    xfrmStates: new Map([...desired.xfrmStates, ...found.xfrmStates]),
    xfrmPolicies: new Map([...desired.xfrmPolicies, ...found.xfrmPolicies]),
    encapSockets: new Map([...desired.encapSockets, ...found.encapSockets]),
  };
  return { held, ops: onlyAdditions(plan(actual, ipsecOf(desired)), actual) };
}

/** The same keys in a record with the next version. A change that the managers do not have yet is signed anyway. */
function toSignAgain(stored: StoredKeys, published: HostView['published']): StoredKeys {
  const { keyring } = stored;
  if (published === 'unknown' || published?.version !== keyring.version) return stored;
  return { ...stored, keyring: { ...keyring, version: keyring.version + 1 } };
}
