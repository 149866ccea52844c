/** Another member of the cluster that reads frames, as gossip sees the member. Members that are dead or have left are no peers. */
export interface Peer {
  /** The id of the node; for a manager, its name. */
  readonly name: string;
  /** Managers have the tables of all networks. */
  readonly isManager: boolean;
  /** Gossip has no answer from the peer. The peer is asked last; nothing else follows from a suspicion. */
  readonly isSuspect: boolean;
}
