import type { KeyGeneration, NodeId } from '@causeway/model';
import { publicHalf } from '../node-key.ts';
import type { Pair } from '../pair.ts';
import { planRekey, type RekeyPlan } from '../protocol/plan.ts';
import type { Keyring, PeerView, Receipt, RekeyReason } from '../protocol/view.ts';
import type { Unsigned } from '../signed-keys.ts';
import { desiredIpsec } from './desired.ts';
import { type FoundIpsec, foundPeer } from './found.ts';
import type { HostView, PeerOfHost } from './host-view.ts';
import { saOf } from './possible-sas.ts';

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
  host.sas.keep(host.peers);
  const peers = new Map<NodeId, PeerView>();
  const unknown = new Set<NodeId>();
  for (const [node, peer] of host.peers) {
    const { kernel, sendsWith, isUnknown } = foundPeer(host, peer, found);
    if (isUnknown) unknown.add(node);
    const { keys, receipt } = peer;
    const isUntold = kernel.received.some((pair) => !isArrivable(host, peer, pair, found));
    peers.set(node, {
      version: keys.version,
      generations: keys.generations.map(({ generation }) => generation),
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
  const told = [...plans].filter(([node]) => !unknown.has(node));
  return {
    keyring,
    ...(create && { create }),
    ...(delayed && { delay: delayed }),
    desired: desiredIpsec(host, plans, found),
    receipts: new Map(told.map(([node, { receipt }]) => [node, arrivable(host, node, receipt, found)])),
    ...(publish && { publish: recordOf(host, publish) }),
  };
}

/** The peer must not choose pairs whose packets would not arrive. */
function arrivable(host: HostView, node: NodeId, receipt: Receipt, found: FoundIpsec): Receipt {
  const peer = host.peers.get(node);
  if (peer === undefined) return receipt;
  return { ...receipt, receives: receipt.receives.filter((pair) => isArrivable(host, peer, pair, found)) };
}

/** Without the socket, no packet of ESP in UDP arrives, though the SA is there. */
function isArrivable(host: HostView, peer: PeerOfHost, pair: Pair, { encapSockets }: FoundIpsec): boolean {
  if (encapSockets.has(host.own.address)) return true;
  return saOf(host.sas.of(host, peer).received, pair)?.meeting.isEncapsulated !== true;
}

/** What the node signs: the public halves of the generations that it offers. */
function recordOf({ own, stored }: HostView, { version, generations }: Keyring): Unsigned {
  const offered = generations.flatMap(({ generation, createdAt, withdrawnIn, encapPort }): KeyGeneration[] => {
    const key = stored.keys.get(generation);
    if (key === undefined || withdrawnIn !== undefined) return [];
    const publicKey = publicHalf(key);
    return [{ generation, publicKey, createdAt, ...(encapPort !== undefined && { encapPort }) }];
  });
  return { node: own.node, index: own.index, version, generations: offered };
}
