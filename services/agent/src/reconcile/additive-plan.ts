import { additive, type Op, type State } from '@causeway/datapath';

/**
 * The steps of a plan that may be taken before a manager has confirmed the tables. The ledger may be a moment older than
 * the kernel, which the last agent programmed. So what the kernel holds is more likely right than what the ledger says,
 * and only what is missing is added. Traffic that flows is not interrupted. Where the tunnel exists, no peer is added to
 * it: the last agent may have removed that peer and reported so, and another endpoint may have its address by now.
 */
export function onlyAdditions(ops: readonly Op[], actual: State): Op[] {
  return ops.flatMap((op) => additive(op, actual) ?? []);
}
