import { CausewayError, type Node, type NodeId } from '@causeway/model';
import { type Duration, seconds } from '@causeway/runtime';

/**
 * A host counts as there for so long after it was last heard of: longer than a silent session lives, and longer than hosts take to come
 * to a new leader, so that a stranger is not let in because it was quicker.
 */
export const absentAfter: Duration = seconds(15);

export interface RivalsView {
  /** Of the host's session, as it introduced itself; undefined: it has none. */
  readonly live: (id: NodeId) => Node | undefined;
  /** When its session was lost, on the monotonic clock; undefined while it has one. */
  readonly silentSince: (id: NodeId) => number | undefined;
  /** All that are registered. */
  readonly nodes: Iterable<Node>;
  readonly now: number;
}

/**
 * Two agents must not be one host, nor two hosts one place: rows would lead to the wrong one of them, and each would take the session
 * of the other. Certificates will prove who is who; until then whoever is there is believed, and whoever comes second refused.
 * @throws CausewayError node-in-use, address-in-use
 */
export function checkRivals(node: Node, { live, silentSince, nodes, now }: RivalsView): void {
  const namesake = live(node.id);
  if (namesake !== undefined && (namesake.name !== node.name || namesake.dataPath !== node.dataPath)) {
    const message = `node.id ${node.id} is that of host ${namesake.name} (data path ${namesake.dataPath}), which has a session: two agents have one identity; start this one (${node.name}, data path ${node.dataPath}) on an empty --data-dir, and not on a copy`;
    throw new CausewayError('node-in-use', message, { field: 'node.id', value: node.id, host: namesake.name });
  }
  for (const other of nodes) {
    if (other.id === node.id || other.dataPath !== node.dataPath) continue;
    const since = silentSince(other.id);
    if (since !== undefined && now - since > absentAfter) continue;
    const message = `node.data_path ${node.dataPath} is that of host ${other.name} (${other.id}), which is there: give this host an address of its own (--data-path), or stop the agent of that one`;
    throw new CausewayError('address-in-use', message, {
      field: 'node.data_path',
      value: node.dataPath,
      host: other.name,
    });
  }
}
