import type { Op, State } from '@causeway/datapath';
import { assertNever } from '@causeway/model';

/**
 * What of a plan may be done before any manager has confirmed the tables. The ledger may be a moment older than the
 * kernel, which the last agent programmed: what is there is then more likely right than what is written, so only what
 * is missing is added. Traffic that flows loses nothing. And where the tunnel is there, no peer is brought back: the last
 * agent may have taken that peer out and reported so, and another endpoint may have its address by now.
 */
export function onlyAdditions(ops: readonly Op[], actual: State): Op[] {
  return ops.flatMap((op) => additionsOf(op, actual));
}

function additionsOf(op: Op, actual: State): Op[] {
  const found = actual.get(op.netns);
  switch (op.op) {
    case 'netns.add':
    case 'sysctl.set':
    case 'address.add':
      return [op];
    case 'link.add':
      return found?.links.has(op.link.name) === true ? [] : [op];
    case 'link.set': {
      const { up, bridgePort } = op.change;
      const change = { ...(up !== undefined && { up }), ...(bridgePort !== undefined && { bridgePort }) };
      return Object.keys(change).length === 0 ? [] : [{ ...op, change }];
    }
    case 'route.set':
      return found?.routes.has(op.route.dst) === true ? [] : [op];
    case 'neighbour.set':
      return found?.links.has(op.dev) === true ? [] : [op];
    case 'fdb.set':
      if (op.target === 'port') return found?.fdb.get(op.dev)?.has(op.mac) === true ? [] : [op];
      return found?.links.has(op.dev) === true ? [] : [op];
    case 'netns.delete':
    case 'link.delete':
    case 'address.delete':
    case 'route.delete':
    case 'neighbour.delete':
    case 'fdb.delete':
      return [];
    default:
      return assertNever(op);
  }
}
