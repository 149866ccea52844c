import type { NodeId } from '@causeway/model';
import { hasPair, type Pair } from '../pair.ts';
import { type Keyring, noPairs, type PairLists, type PeerView, type Receipt } from './view.ts';

/**
 * So many SAs of one peer and direction are made from the generations that this node has at a time. A peer that changes its key again
 * and again, each minute for an hour, needs fewer. More would be written down, and looked through, at each step.
 */
export const mostMade = 1_024;

/** What the kernel shall have for a peer, and what the peer is told. */
export interface PeerPlan {
  readonly receives: readonly Pair[];
  /** Has `sendsWith`, and SAs that were used before: packets may still be on their way through them. */
  readonly sends: readonly Pair[];
  /** Absent: nothing is sent to the peer, because no SA is known that it receives with. */
  readonly sendsWith?: Pair;
  /** To be sent whether or not the plan can be carried out: it says what is so now. */
  readonly receipt: Receipt;
}

export function planPeer(keyring: Keyring, node: NodeId, peer: PeerView): PeerPlan {
  const made = madeFor(keyring, node);
  const receives = receivedPairs(keyring, peer, made);
  const sendsWith = chooseSent(keyring, peer, made);
  const sends = peer.kernel.sent.filter(
    ({ sender, receiver }) =>
      keyring.generations.some(({ generation }) => generation === sender) && peer.generations.includes(receiver),
  );
  if (sendsWith !== undefined && !hasPair(sends, sendsWith)) sends.push(sendsWith);
  return {
    receives,
    sends,
    ...(sendsWith !== undefined && { sendsWith }),
    receipt: receiptFor(keyring, peer, receives),
  };
}

/**
 * Whether the newest keys of both nodes cannot be used together, because an SA of theirs was lost. Then this node needs a new
 * generation: the same SA must not be made again.
 */
export function hasLostNewest(keyring: Keyring, node: NodeId, peer: PeerView): boolean {
  const made = madeFor(keyring, node);
  const own = keyring.generations.at(-1);
  const theirs = peer.generations.at(-1);
  if (own === undefined || own.withdrawnIn !== undefined || theirs === undefined) return false;
  const received = { sender: theirs, receiver: own.generation };
  const sent = { sender: own.generation, receiver: theirs };
  return isLost(received, peer.kernel.received, made.received) || isLost(sent, peer.kernel.sent, made.sent);
}

/** Receiving comes before sending: SAs for each pair of generations that the peer may choose, before it knows that it may. */
function receivedPairs(keyring: Keyring, peer: PeerView, made: PairLists): readonly Pair[] {
  const pairs = keyring.generations.flatMap((own) =>
    peer.generations.map((sender) => ({ own, pair: { sender, receiver: own.generation } })),
  );
  return pairs
    .filter(({ own, pair }) => {
      const isNeeded = own.withdrawnIn === undefined || hasPair(peer.kernel.received, pair);
      return isNeeded && isUsable(pair, peer.kernel.received, made.received);
    })
    .map(({ pair }) => pair);
}

/**
 * The newest of the pairs that the peer has said to receive with, and the present pair, which stays until there is a newer one.
 * A generation that its node has withdrawn is not used, even if nothing is left to send with.
 */
function chooseSent(keyring: Keyring, peer: PeerView, made: PairLists): Pair | undefined {
  const present = peer.sendsWith !== undefined && hasPair(peer.kernel.sent, peer.sendsWith) ? [peer.sendsWith] : [];
  const choices = [...present, ...(peer.receipt?.receives ?? [])].filter(
    (pair) =>
      isOffered(keyring, pair.sender) &&
      peer.generations.includes(pair.receiver) &&
      isUsable(pair, peer.kernel.sent, made.sent),
  );
  return choices.reduce<Pair | undefined>(
    (best, each) => (best === undefined || isNewer(each, best) ? each : best),
    undefined,
  );
}

/** The receiver's generation counts first: the receiver relies on it that a sender does not go back to an earlier one. */
function isNewer(a: Pair, b: Pair): boolean {
  return a.receiver > b.receiver || (a.receiver === b.receiver && a.sender > b.sender);
}

/**
 * What is so now. The peer may choose a pair only when it has said that it acts by a record with this node's generation: a peer
 * whose agent is down must not hold up generations that it does not know. A pair that is to go is not shown either.
 */
function receiptFor(keyring: Keyring, peer: PeerView, planned: readonly Pair[]): Receipt {
  const known = peer.receipt?.version ?? 0;
  const shown = keyring.generations.filter((own) => own.withdrawnIn === undefined && own.offeredIn <= known);
  const receives = planned.filter(
    (pair) => hasPair(peer.kernel.received, pair) && shown.some(({ generation }) => generation === pair.receiver),
  );
  const { version, sendsWith } = peer;
  return { version, receives, ...(sendsWith !== undefined && { sends: sendsWith }) };
}

/** The kernel has the SA, or it was never made and may be. */
function isUsable(pair: Pair, kernel: readonly Pair[], made: readonly Pair[]): boolean {
  return hasPair(kernel, pair) || (made.length < mostMade && !hasPair(made, pair));
}

function isLost(pair: Pair, kernel: readonly Pair[], made: readonly Pair[]): boolean {
  return !hasPair(kernel, pair) && hasPair(made, pair);
}

function isOffered({ generations }: Keyring, wanted: number): boolean {
  return generations.some(({ generation, withdrawnIn }) => generation === wanted && withdrawnIn === undefined);
}

function madeFor({ made }: Keyring, node: NodeId): PairLists {
  return made.get(node) ?? noPairs;
}
