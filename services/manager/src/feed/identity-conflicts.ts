import { CausewayError, type Node, type NodeId } from '@causeway/model';
import { type Duration, seconds } from '@causeway/runtime';

/**
 * A host without endpoints counts as present for this time after the end of its session. The time is longer than a silent session
 * lives, and longer than hosts take to come to a new leader, so that another host cannot take the address just by being quicker.
 */
export const absentAfter: Duration = seconds(15);

export interface IdentityConflictsView {
  /** The host as its Hello described it; undefined: the host has no session. */
  readonly live: (id: NodeId) => Node | undefined;
  /** When the host's session was lost, ms on the monotonic clock; undefined while the host has a session. */
  readonly silentSince: (id: NodeId) => number | undefined;
  /** How many endpoints are on the host. */
  readonly endpointsOn: (id: NodeId) => number;
  /** Registered hosts; those with another data path address do not matter. */
  readonly nodes: Iterable<Node>;
  readonly now: number;
}

/**
 * Two agents must not have the same node id, and two hosts must not have the same data path address: rows would lead to the
 * wrong host, and each agent would take the session of the other. A certificate proves who a host is, and says nothing of its
 * address. So the host that has the address keeps it while it is present, and as long as it has endpoints: until it is removed, or
 * given up (decision 7). Another host would get what is sent to these endpoints, in ESP with its own keys.
 * @throws CausewayError node-in-use, address-in-use
 */
export function checkIdentityConflicts(
  node: Node,
  { live, silentSince, endpointsOn, nodes, now }: IdentityConflictsView,
): void {
  const namesake = live(node.id);
  if (namesake !== undefined && (namesake.name !== node.name || namesake.dataPath !== node.dataPath)) {
    const message = `node.id ${node.id} belongs to host ${namesake.name} (data path ${namesake.dataPath}), which has a session: two agents have the same identity; start this agent (${node.name}, data path ${node.dataPath}) with a --data-dir of its own, not with a copy: empty it, and run "causeway join" with a new token`;
    throw new CausewayError('node-in-use', message, { field: 'node.id', value: node.id, host: namesake.name });
  }
  for (const other of nodes) {
    if (other.id === node.id || other.dataPath !== node.dataPath) continue;
    const since = silentSince(other.id);
    const isPresent = since === undefined || now - since <= absentAfter;
    const endpoints = endpointsOn(other.id);
    if (!isPresent && endpoints === 0) continue;
    const message = `node.data_path ${node.dataPath} belongs to host ${other.name} (${other.id}), ${remedy(other, endpoints, isPresent)}`;
    throw new CausewayError('address-in-use', message, {
      field: 'node.data_path',
      value: node.dataPath,
      host: other.name,
    });
  }
}

function remedy({ name }: Node, endpoints: number, isPresent: boolean): string {
  const own = 'give this host an address of its own (--data-path)';
  if (isPresent) return `which has a session: ${own}, or stop the agent of that host`;
  const what = endpoints === 1 ? 'an endpoint' : `${endpoints} endpoints`;
  return `which is away and has ${what}: ${own}, or start the agent of that host, or remove that host if it is gone for good (causeway node remove ${name} --force)`;
}
