import { networkToJson } from '../store/codec.ts';
import { noOutcome, type Planning, type Proposal, type Request } from './intent.ts';
import { addressClaims, identityClaims, poolClaims } from './network-claims.ts';
import { refuseUsers, usersOf } from './network-users.ts';
import { checkRevision } from './revision.ts';

export interface DeleteNetwork {
  /** Name or id. */
  readonly network: string;
  /** Absent: whatever it is. */
  readonly ifRevision?: bigint;
  /** Reservations are no reason to keep it. Endpoints are: whoever forces it evicts them first. */
  readonly force: boolean;
}

/** @throws from its plan: network-unknown, revision-conflict, network-in-use */
export function deleteNetwork(request: DeleteNetwork): Request<void> {
  return {
    kind: 'network.delete',
    content: JSON.stringify({ ...request, ifRevision: request.ifRevision?.toString() }),
    outcome: noOutcome,
    plan: (planning) => planDeleteNetwork(request, planning),
  };
}

export function planDeleteNetwork(request: DeleteNetwork, planning: Planning): Proposal<void> {
  const { view, keys } = planning;
  const current = view.findNetwork(request.network);
  const network = current.value;
  checkRevision(current, request.ifRevision, networkToJson);
  const users = usersOf(view, network);
  refuseUsers(request.force ? { ...users, reservations: [] } : users, {
    code: 'network-in-use',
    what: `network "${network.name}"`,
    remedy: 'detach and release them first, or force it',
    field: 'network',
  });
  const claims = [
    ...identityClaims(network, keys),
    ...poolClaims(network, network.subnets, keys),
    ...addressClaims(network, network.subnets, keys),
  ];
  return {
    compares: [
      { kind: 'unchanged', key: keys.network(network.id), modRevision: current.revision },
      { kind: 'quiet', prefix: keys.endpoints(network.id), since: view.revision },
    ],
    writes: [keys.network(network.id), ...claims.map(({ key }) => key)].map((key) => ({ kind: 'delete', key })),
    takes: [],
    reply: undefined,
  };
}
