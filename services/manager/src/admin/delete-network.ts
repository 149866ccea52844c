import { CausewayError } from '@causeway/model';
import type { View } from '../store/view.ts';
import { noOutcome, type Planning, type Proposal, type Request } from './intent.ts';
import { addressClaims, identityClaims, poolClaims } from './network-claims.ts';

export interface DeleteNetwork {
  /** Name or id. */
  readonly network: string;
}

/** How many of the endpoints in the way a refusal names. */
const named = 5;

/** @throws from its plan: network-unknown, network-in-use */
export function deleteNetwork(request: DeleteNetwork): Request<void> {
  return {
    kind: 'network.delete',
    content: JSON.stringify(request),
    outcome: noOutcome,
    plan: (planning) => planDeleteNetwork(request, planning),
  };
}

export function planDeleteNetwork(request: DeleteNetwork, planning: Planning): Proposal<void> {
  const { view, keys } = planning;
  const { value: network, revision } = view.findNetwork(request.network);
  const endpoints = [...view.endpointsOf(network.id).values()].map(({ value }) => value);
  if (endpoints.length > 0) throw inUse(view, network.name, endpoints);
  const claims = [
    ...identityClaims(network, keys),
    ...poolClaims(network, network.subnets, keys),
    ...addressClaims(network, network.subnets, keys),
  ];
  return {
    compares: [
      { kind: 'unchanged', key: keys.network(network.id), modRevision: revision },
      { kind: 'quiet', prefix: keys.endpoints(network.id), since: view.revision },
    ],
    writes: [keys.network(network.id), ...claims.map(({ key }) => key)].map((key) => ({ kind: 'delete', key })),
    takes: [],
    reply: undefined,
  };
}

function inUse(view: View, network: string, endpoints: readonly { name: string; node: string }[]): CausewayError {
  const hosts = new Map([...view.nodes].map(([id, { value }]) => [id as string, value.name as string]));
  const list = endpoints.slice(0, named).map(({ name, node }) => `${name} on ${hosts.get(node) ?? node}`);
  const more = endpoints.length > named ? ` and ${endpoints.length - named} more` : '';
  const message = `network "${network}" has ${endpoints.length} endpoints: detach them first (${list.join(', ')}${more})`;
  return new CausewayError('network-in-use', message, { field: 'network', network, endpoints: endpoints.length });
}
