import type { NodeId } from '@causeway/model';
import type { Pair } from '../pair.ts';

/**
 * A generation of this node's key: offered → withdrawn → gone. While it is withdrawn, this node still receives with it, until each
 * peer that may send with it has said that it does not.
 */
export interface OwnGeneration {
  readonly generation: number;
  /** Unix ms. */
  readonly createdAt: number;
  /** The version of the first record that has it. */
  readonly offeredIn: number;
  /** The version of the first record that does not have it any more. Absent: it is offered. */
  readonly withdrawnIn?: number;
  /** As in its `KeyGeneration`: it never changes. */
  readonly encapPort?: number;
}

/**
 * What a node must remember as long as it has its private keys, whatever happens to its agent. It is written down before anything
 * follows from it.
 */
export interface Keyring {
  /** The version of the record that offers the generations. */
  readonly version: number;
  /** Oldest first. */
  readonly generations: readonly OwnGeneration[];
  /**
   * SAs that were made, or were to be made, from these generations. An SA that is here and not in the kernel was lost, and must
   * not be made again. Also of nodes that are no peers at present: they may become peers again.
   */
  readonly made: ReadonlyMap<NodeId, PairLists>;
  /**
   * The latest version of this node's record that each peer has said to act by. A peer was never shown a pair of a generation that
   * only a later version offers. It is kept here because receipts are forgotten when the agent ends, and managers forget them, too.
   */
  readonly confirmed: ReadonlyMap<NodeId, number>;
}

/** The keyring of a node that has made no key, or has lost its keys. */
export const emptyKeyring: Keyring = { version: 0, generations: [], made: new Map(), confirmed: new Map() };

/**
 * What a node tells one peer about the SAs between them. It is made from what the kernel has, never from what was planned. A
 * later receipt replaces an earlier one; receipts of one node reach a peer in order, or not at all.
 */
export interface Receipt {
  /** The version of the peer's record by which the node acts. */
  readonly version: number;
  /** SAs with which it receives from the peer, and which the peer may choose. The sender of these pairs is the peer. */
  readonly receives: readonly Pair[];
  /** With what it sends to the peer. Absent: it sends nothing. */
  readonly sends?: Pair;
}

/** SAs of one peer, both ways. */
export interface PairLists {
  readonly received: readonly Pair[];
  readonly sent: readonly Pair[];
}

export const noPairs: PairLists = { received: [], sent: [] };

/** What a node knows about a peer. */
export interface PeerView {
  /** The peer's record, once its signature has been verified. */
  readonly version: number;
  readonly generations: readonly number[];
  /** The last that arrived. Absent: none since this agent started, and nothing is known of the peer's kernel. */
  readonly receipt?: Receipt;
  /** SAs that the kernel has. */
  readonly kernel: PairLists;
  /** The pair that the kernel's policy names. Absent: no policy, so packets to the peer are dropped. */
  readonly sendsWith?: Pair;
  /** The peer is not shown all pairs with which this node receives: see `planHost`. */
  readonly isUntold?: true;
}

/**
 * Why a node makes a new generation. "first": it has none. "lost": SAs of the newest are gone from the kernel. "due": the period
 * is over. "limit": an SA has protected much. "encap": the host has come to need ESP in UDP, or at another port, or no more.
 * "requested": by an operator.
 */
export type RekeyReason = 'first' | 'lost' | 'due' | 'limit' | 'encap' | 'requested';

/** A new generation is wanted, and may not be made yet: too many older ones are in use. */
export interface Delay {
  readonly reason: RekeyReason;
  /** Unix ms. */
  readonly since: number;
  /** Peers that use the oldest generation, mostly because their agents are down. */
  readonly waitsFor: readonly NodeId[];
  /** See `informedPeers`. */
  readonly informed: ReadonlyMap<NodeId, ReadonlyMap<number, number>>;
}

/** All that a decision needs. */
export interface NodeView {
  readonly keyring: Keyring;
  /** What the managers have of this node's own record. "unknown": they have not been asked yet. Absent: no record. */
  readonly published: { readonly version: number; readonly newest: number } | 'unknown' | undefined;
  /** Peers with which this host shares an encrypted network. */
  readonly peers: ReadonlyMap<NodeId, PeerView>;
  /** The delay of the plan before. */
  readonly delay?: Delay;
  /** The port that a new generation has. */
  readonly encapPort?: number;
}
