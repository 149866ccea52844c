/** One term of this manager's leadership, from when its view has all that earlier leaders have written. */
export interface Term {
  /** Create revision of the leader key. */
  readonly revision: bigint;
  /** Aborts when the term is over. */
  readonly signal: AbortSignal;
}
