import { additive, type Op, type State } from '@causeway/datapath';

/**
 * What of a plan may be done before any manager has confirmed the tables. The ledger may be a moment older than the
 * kernel, which the last agent programmed: what is there is then more likely right than what is written, so only what
 * is missing is added. Traffic that flows loses nothing. And where the tunnel is there, no peer is brought back: the last
 * agent may have taken that peer out and reported so, and another endpoint may have its address by now.
 */
export function onlyAdditions(ops: readonly Op[], actual: State): Op[] {
  return ops.flatMap((op) => additive(op, actual) ?? []);
}
