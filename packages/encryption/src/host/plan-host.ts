import { newNamespace, ourReqid, policyKey, type SaLimits, stateKey, type XfrmState } from '@causeway/datapath';
import type { KeyGeneration, NodeId } from '@causeway/model';
import { receivingLimits, sendingLimits } from '../limits.ts';
import { type Pair, spiOf } from '../pair.ts';
import type { PeerPlan } from '../protocol/peer-plan.ts';
import { planRekey, type RekeyPlan } from '../protocol/plan.ts';
import type { Keyring, PeerView, Receipt, RekeyReason } from '../protocol/view.ts';
import type { Unsigned } from '../signed-keys.ts';
import { isEncapsulated, portsOf } from './encap.ts';
import { type FoundIpsec, type FoundPeer, foundPeer } from './found.ts';
import type { HostView, PeerOfHost } from './host-view.ts';
import { blocks, demand } from './policies.ts';

/** What a host does next. The order of the fields is the order in which it is done. */
export interface HostPlan extends Pick<RekeyPlan, 'keyring' | 'create' | 'delay'> {
  /** SAs, policies and sockets of the host namespace. */
  readonly desired: FoundIpsec;
  /** To be sent whether or not the kernel becomes as desired: they say what was found. */
  readonly receipts: ReadonlyMap<NodeId, Receipt>;
  /** The record to sign and publish. */
  readonly publish?: Unsigned;
}

/**
 * The rekey protocol on a kernel: from one read of the kernel to what it shall have.
 * `wanted`: why the newest generation should be followed by another. `now`: Unix ms.
 */
export function planHost(host: HostView, found: FoundIpsec, wanted: RekeyReason | undefined, now: number): HostPlan {
  const { stored, published, delay } = host;
  const kernels = new Map([...host.peers].map(([node, peer]) => [node, foundPeer(host, peer, found)] as const));
  const peers = new Map<NodeId, PeerView>();
  for (const [node, peer] of host.peers) {
    const { keys, receipt } = peer;
    const { kernel, sendsWith } = kernels.get(node) ?? foundNothing;
    const generations = keys.generations.map(({ generation }) => generation);
    const isUntold = kernel.received.some((pair) => !isArrivable(host, peer, pair, found));
    peers.set(node, {
      version: keys.version,
      generations,
      kernel,
      ...(receipt && { receipt }),
      ...(sendsWith && { sendsWith }),
      ...(isUntold && { isUntold: true as const }),
    });
  }
  const { encapPort } = host.own;
  const needs = { ...(delay && { delay }), ...(encapPort !== undefined && { encapPort }) };
  const view = { keyring: stored.keyring, published, peers, ...needs };
  const { keyring, create, delay: delayed, peers: plans, publish } = planRekey(view, wanted, now);
  const told = [...plans].filter(([node]) => kernels.get(node)?.isUnknown !== true);
  return {
    keyring,
    ...(create && { create }),
    ...(delayed && { delay: delayed }),
    desired: desiredIpsec(host, plans, found),
    receipts: new Map(told.map(([node, { receipt }]) => [node, arrivable(host, node, receipt, found)])),
    ...(publish && { publish: recordOf(host, publish) }),
  };
}

const foundNothing: FoundPeer = { kernel: { received: [], sent: [] }, isUnknown: false };

/** The peer must not choose pairs whose packets would not arrive. */
function arrivable(host: HostView, node: NodeId, receipt: Receipt, found: FoundIpsec): Receipt {
  const peer = host.peers.get(node);
  if (peer === undefined) return receipt;
  return { ...receipt, receives: receipt.receives.filter((pair) => isArrivable(host, peer, pair, found)) };
}

/** Without the socket, no packet of ESP in UDP arrives, though the SA is there. */
function isArrivable(host: HostView, peer: PeerOfHost, pair: Pair, { encapSockets }: FoundIpsec): boolean {
  return encapSockets.has(host.own.address) || !isEncapsulated(host, peer, 'in', pair);
}

/** The blocks are always there: an encrypted network that comes later finds them. */
function desiredIpsec(host: HostView, plans: ReadonlyMap<NodeId, PeerPlan>, found: FoundIpsec): FoundIpsec {
  const desired = newNamespace();
  const policies = [...blocks];
  for (const [node, plan] of plans) {
    const peer = host.peers.get(node);
    if (peer === undefined) continue;
    for (const pair of plan.receives) addState(desired, host, peer, 'in', pair, found);
    for (const pair of plan.sends) addState(desired, host, peer, 'out', pair, found);
    const [here, there] = [host.own.address, peer.address];
    if (plan.receives.length > 0) policies.push(demand('in', there, here));
    if (plan.sendsWith !== undefined) policies.push(demand('out', here, there, spiOf(plan.sendsWith, host.own.index)));
  }
  for (const policy of policies) desired.xfrmPolicies.set(policyKey(policy), policy);
  const hasEncap = [...desired.xfrmStates.values()].some(({ encap }) => encap !== undefined);
  if (hasEncap) desired.encapSockets.set(host.own.address, true);
  return desired;
}

function addState(
  desired: ReturnType<typeof newNamespace>,
  host: HostView,
  peer: PeerOfHost,
  direction: 'in' | 'out',
  pair: Pair,
  found: FoundIpsec,
): void {
  const { own, stored, secrets, period } = host;
  const isIn = direction === 'in';
  const key = secrets.saKey({ ...own, keys: stored.keys }, peer.keys, direction, pair);
  const ownKey = stored.keys.get(isIn ? pair.receiver : pair.sender);
  if (key === undefined || ownKey === undefined) return;
  const [src, dst] = isIn ? [peer.address, own.address] : [own.address, peer.address];
  const spi = spiOf(pair, isIn ? peer.keys.index : own.index);
  const there = found.xfrmStates.get(stateKey({ dst, spi }));
  const fresh = (): SaLimits => (isIn ? receivingLimits(period) : sendingLimits(secrets.publicHalf(ownKey), period));
  // An SA never changes: with other limits it would be made again with the same key.
  const limits = there?.key.equals(key) === true ? there.limits : fresh();
  const encap = portsOf(host, peer, direction, pair, found);
  const state: XfrmState = {
    ...{ direction, src, dst, spi, reqid: ourReqid, key, limits, isStrict: true },
    ...(encap && { encap }),
  };
  desired.xfrmStates.set(stateKey(state), state);
}

/** What the node signs: the public halves of the generations that it offers. */
function recordOf({ own, stored, secrets }: HostView, { version, generations }: Keyring): Unsigned {
  const offered = generations.flatMap(({ generation, createdAt, withdrawnIn, encapPort }): KeyGeneration[] => {
    const key = stored.keys.get(generation);
    if (key === undefined || withdrawnIn !== undefined) return [];
    const publicKey = secrets.publicHalf(key);
    return [{ generation, publicKey, createdAt, ...(encapPort !== undefined && { encapPort }) }];
  });
  return { node: own.node, index: own.index, version, generations: offered };
}
