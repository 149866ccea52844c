import type { NodeId } from '@causeway/model';
import { type Duration, seconds } from '@causeway/runtime';
import type { Keyring, NodeView, OwnGeneration, PeerView } from './view.ts';

/**
 * A peer that knows a generation changes to it within two messages. A peer that says that it knows a generation, and goes on with an
 * earlier one, is broken, or wants to hold up the keys of this node. When a new generation must wait, such a peer holds up the
 * withdrawal of the earlier one for the first of these times, and its end for the second. What a peer uses that has confirmed no
 * later generation stays: the agent of the peer is down, and its packets must not be lost.
 */
const patience: { readonly withdraw: Duration; readonly erase: Duration } = {
  withdraw: seconds(30),
  erase: seconds(60),
};

/** Peers because of which the generation is still there. */
export function holdersOf(own: OwnGeneration, { keyring, peers }: NodeView): readonly NodeId[] {
  const isHolder = own.withdrawnIn === undefined ? isUser : isBound;
  return [...peers]
    .filter(([node, peer]) => isHolder(own, peer, confirmedBy(keyring, node, peer)))
    .map(([node]) => node);
}

/** Whether a peer holds up the next step of the generation, and may. */
export function isHeld(own: OwnGeneration, view: NodeView, now: number): boolean {
  const holders = holdersOf(own, view);
  if (holders.length === 0 || view.delay === undefined) return holders.length > 0;
  const informed = informedPeers(view, now);
  const span = own.withdrawnIn === undefined ? patience.withdraw : patience.erase;
  const isIdle = (node: NodeId): boolean =>
    [...(informed.get(node) ?? [])].some(([later, since]) => later > own.generation && now - since >= span);
  return holders.some((node) => !isIdle(node));
}

/** By peer, and by generation to which the peer could have changed: since when (Unix ms) this node knows that it could. */
export function informedPeers(
  { keyring, peers, delay }: NodeView,
  now: number,
): ReadonlyMap<NodeId, ReadonlyMap<number, number>> {
  const informed = new Map<NodeId, ReadonlyMap<number, number>>();
  for (const [node, peer] of peers) {
    const confirmed = confirmedBy(keyring, node, peer);
    const known = keyring.generations.filter(
      (own) => own.withdrawnIn === undefined && mayBeShown(own, peer, confirmed),
    );
    if (known.length === 0 || peer.isUntold === true) continue;
    const before = delay?.informed.get(node);
    // A clock that was set back must not make the wait longer.
    informed.set(
      node,
      new Map(known.map(({ generation }) => [generation, Math.min(before?.get(generation) ?? now, now)])),
    );
  }
  return informed;
}

/** See `Keyring.confirmed`. */
export function confirmedBy({ confirmed }: Keyring, node: NodeId, { receipt }: PeerView): number {
  return Math.max(confirmed.get(node) ?? 0, receipt?.version ?? 0);
}

/** Whether packets between the peer and this node travel with the offered generation, or may soon. */
function isUser(own: OwnGeneration, peer: PeerView, confirmed: number): boolean {
  return peer.sendsWith?.sender === own.generation || maySend(own, peer, confirmed);
}

/**
 * A receipt is old when it arrives: the peer may have changed to any later generation that it was shown. It does not change to an
 * earlier one. A peer without a receipt may send with each generation that it was shown.
 */
function maySend(own: OwnGeneration, peer: PeerView, confirmed: number): boolean {
  if (!mayBeShown(own, peer, confirmed)) return false;
  const sends = peer.receipt?.sends;
  return sends === undefined || sends.receiver <= own.generation;
}

/**
 * Whether the peer may send with the withdrawn generation some time. A peer that acts by a record without the generation does not
 * choose it again. If the peer does not send with the generation either, it never will.
 */
function isBound(own: OwnGeneration, peer: PeerView, confirmed: number): boolean {
  const { generation, withdrawnIn = 0 } = own;
  if (peer.sendsWith?.sender === generation) return true;
  if (!mayBeShown(own, peer, confirmed)) return false;
  const { receipt } = peer;
  return receipt === undefined || receipt.version < withdrawnIn || receipt.sends?.receiver === generation;
}

/**
 * Whether the peer may know that it may send with the generation. A pair is shown to a peer that has confirmed the record which
 * offers the generation, if an SA receives with it. So a peer whose agent is down, or that never says anything, holds up only what
 * it used before.
 */
function mayBeShown({ generation, offeredIn }: OwnGeneration, { kernel }: PeerView, confirmed: number): boolean {
  return offeredIn <= confirmed && kernel.received.some(({ receiver }) => receiver === generation);
}
