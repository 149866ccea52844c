/** Times and counts of serf's layer. All spans are in milliseconds. */
export interface SerfProfile {
  /** How long news of this node's leave may take to be sent. */
  readonly broadcastTimeout: number;
  /** How long a node that left still serves, so that the news of its leave spreads. */
  readonly leavePropagation: number;
  /** A node that failed is forgotten after so long; until then memberlist's layer tries it again, by its `rejoinInterval`. */
  readonly reconnectTimeout: number;
  /** A node that left is forgotten after so long. */
  readonly tombstoneTimeout: number;
  /** How often nodes are looked for that are to be forgotten. */
  readonly reapInterval: number;
  /** Joins and leaves of nodes that are not known yet are kept for so long. */
  readonly intentTimeout: number;
  /** A query takes `gossipInterval * queryTimeoutMult * ceil(log10(nodes + 1))` unless its sender says otherwise. */
  readonly queryTimeoutMult: number;
  /** Events of members wait for more such events at most so long; 0: they do not wait. */
  readonly coalescePeriod: number;
  /** Events that wait are told sooner if none has come for so long. */
  readonly quiescentPeriod: number;
  /** The same for user events that may be coalesced. */
  readonly userCoalescePeriod: number;
  readonly userQuiescentPeriod: number;
}

/** serf's DefaultConfig. */
export const serfDefaults: SerfProfile = {
  broadcastTimeout: 5000,
  leavePropagation: 1000,
  reconnectTimeout: 24 * 3_600_000,
  tombstoneTimeout: 24 * 3_600_000,
  reapInterval: 15_000,
  intentTimeout: 300_000,
  queryTimeoutMult: 16,
  coalescePeriod: 0,
  quiescentPeriod: 0,
  userCoalescePeriod: 0,
  userQuiescentPeriod: 0,
};

export function defaultQueryTimeout(gossipInterval: number, queryTimeoutMult: number, nodes: number): number {
  return gossipInterval * queryTimeoutMult * Math.ceil(Math.log10(nodes + 1));
}
