import { type Network, rowKinds } from '@causeway/model';
import { networkDeleted } from '../events/describe.ts';
import { addressClaims, nameClaim, subnetClaims } from '../ipam/network-claims.ts';
import { records } from '../store/records/index.ts';
import type { Compare, Write } from '../store/store.ts';
import { checkRevision } from './checks.ts';
import { noOutcome, type Planning, type Proposal, type Request } from './intent.ts';
import { refuseUsers, usersOf } from './network-users.ts';

export interface DeleteNetwork {
  /** Name or id. */
  readonly network: string;
  /** Revision that the network must have; absent: any. */
  readonly ifRevision?: bigint;
  /** Delete the network even if it has reservations. Its endpoints must be released first in any case. */
  readonly force: boolean;
}

/**
 * @throws from its plan: network-unknown, revision-conflict, network-in-use; busy: with force, endpoints must be released
 * first. This refusal is not kept as the outcome of a call that was sent again, because the same call releases the endpoints
 * and tries again.
 */
export function deleteNetwork(request: DeleteNetwork): Request<void> {
  return {
    kind: 'network.delete',
    content: JSON.stringify({ ...request, ifRevision: request.ifRevision?.toString() }),
    outcome: noOutcome,
    plan: (planning) => planDeleteNetwork(request, planning),
  };
}

function planDeleteNetwork(request: DeleteNetwork, planning: Planning): Proposal<void> {
  const { view, keys } = planning;
  const current = view.findNetwork(request.network);
  const network = current.value;
  checkRevision(current, request.ifRevision, records.network.codec.toJson);
  const users = usersOf(view, network);
  const refusal = { what: `network "${network.name}"`, field: 'network' };
  if (request.force) {
    const remedy = 'they are released now: try again';
    refuseUsers({ ...users, reservations: [] }, { ...refusal, code: 'busy', remedy });
  } else {
    const remedy = 'detach the endpoints and release the reservations first';
    refuseUsers(users, { ...refusal, code: 'network-in-use', remedy });
  }
  const claims = [
    nameClaim(network, keys),
    ...subnetClaims(network, network.subnets, keys),
    ...addressClaims(network, network.subnets, keys),
  ];
  // Endpoints are released before. Records of other kinds, and damaged endpoints without a claim, go with the network.
  const left = rowKinds.flatMap((kind) => {
    const keyOf = keys[kind] as (network: string, id: string) => string;
    return [...view.records(kind).of(network.id).keys()].map((id) => keyOf(network.id, id));
  });
  const vni = coolingVni(network, planning);
  return {
    compares: [
      { kind: 'unchanged', key: keys.network(network.id), modRevision: current.revision },
      ...rowKinds.map((kind): Compare => {
        return { kind: 'quiet', prefix: keys.under(kind, network.id), since: view.revision };
      }),
      ...vni.map(({ compare }) => compare),
    ],
    writes: [
      ...[keys.network(network.id), ...left, ...claims.map(({ key }) => key)].map(
        (key): Write => ({ kind: 'delete', key }),
      ),
      ...vni.map(({ write }) => write),
    ],
    takes: [],
    events: [networkDeleted(network)],
    reply: undefined,
  };
}

/** The VNI cools: some host may not know yet that the network is gone, and must not see its VNI on another network. */
function coolingVni(network: Network, { view, keys }: Planning): readonly { compare: Compare; write: Write }[] {
  const { id, name, vni } = network;
  const claimed = view.vnis.get(vni);
  if (claimed?.claim.kind !== 'network' || claimed.claim.network !== id) return [];
  const key = keys.vni(vni);
  const value = records.vni.codec.encode({ kind: 'cooling', network: id, name, asked: claimed.claim.asked });
  return [{ compare: { kind: 'unchanged', key, modRevision: claimed.revision }, write: { kind: 'put', key, value } }];
}
