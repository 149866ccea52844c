import type { NodeId } from '@causeway/model';
import { hasPair, type Pair } from '../pair.ts';
import { isDelay, type NewGeneration, nextGeneration, retire, toPublish } from './generations.ts';
import { confirmedBy } from './holders.ts';
import { type PeerPlan, planPeer } from './peer-plan.ts';
import { type Delay, type Keyring, type NodeView, noPairs, type PairLists, type RekeyReason } from './view.ts';

/** What a node does next. The order of the fields is the order in which it is done. */
export interface RekeyPlan {
  /**
   * To be written down before anything else is done: a generation that was withdrawn must stay so, and an SA that is made now
   * must not be made again, whatever becomes of the agent.
   */
  readonly keyring: Keyring;
  /** A generation to make and to write down. Then the node plans anew. */
  readonly create?: NewGeneration;
  /** Why a wanted generation cannot be made yet. */
  readonly delay?: Delay;
  /** Which SAs the kernel shall have, and what peers are told. Nodes that are not named shall have none. */
  readonly peers: ReadonlyMap<NodeId, PeerPlan>;
  /** The record that the managers lack. After the kernel: it may lack generations with which this node has sent until now. */
  readonly publish?: Keyring;
}

/**
 * The rekey protocol, as one decision. A node plans after each change of what it knows, carries the plan out, reads its kernel
 * and plans again. docs/decisions/0029-rekey.md has the protocol and why it is safe.
 *
 * wanted: why the newest generation should be followed by another. now: Unix ms.
 */
export function planRekey(view: NodeView, wanted: RekeyReason | undefined, now: number): RekeyPlan {
  const retired = { ...view, keyring: retire(view, now) };
  const next = nextGeneration(retired, wanted, now);
  const publish = toPublish(retired);
  const { keyring } = retired;
  const peers = new Map([...view.peers].map(([node, peer]) => [node, planPeer(keyring, node, peer)]));
  const made = madeAfter(keyring, peers);
  return {
    keyring: { ...(publish ?? keyring), made, confirmed: confirmedAfter(keyring, view.peers, made) },
    ...(next !== undefined && (isDelay(next) ? { delay: next } : { create: next })),
    peers,
    ...(publish !== undefined && { publish }),
  };
}

/** The memory of SAs, with those of the plan and without those whose own generation is gone: its key is erased. */
function madeAfter({ made, generations }: Keyring, plans: RekeyPlan['peers']): Keyring['made'] {
  const isKept = new Set(generations.map(({ generation }) => generation));
  const after = new Map<NodeId, PairLists>();
  for (const node of new Set([...made.keys(), ...plans.keys()])) {
    const [before, plan] = [made.get(node) ?? noPairs, plans.get(node)];
    const received = union(before.received, plan?.receives ?? []).filter(({ receiver }) => isKept.has(receiver));
    const sent = union(before.sent, plan?.sends ?? []).filter(({ sender }) => isKept.has(sender));
    if (received.length + sent.length > 0) after.set(node, { received, sent });
  }
  return after;
}

/** What is shown to a peer follows from what it has confirmed, so this is written down first. Nodes without SAs are left out. */
function confirmedAfter(keyring: Keyring, peers: NodeView['peers'], made: Keyring['made']): Keyring['confirmed'] {
  const after = new Map<NodeId, number>();
  for (const node of made.keys()) {
    const peer = peers.get(node);
    const version = peer === undefined ? keyring.confirmed.get(node) : confirmedBy(keyring, node, peer);
    if (version !== undefined && version > 0) after.set(node, version);
  }
  return after;
}

function union(a: readonly Pair[], b: readonly Pair[]): readonly Pair[] {
  return [...a, ...b.filter((pair) => !hasPair(a, pair))];
}
