import { CausewayError, type Endpoint, type EndpointId, type Name, type NetworkId, type NodeId } from '@causeway/model';
import { endpointDetached } from '../events/describe.ts';
import type { Planning, Proposal, Request } from './intent.ts';
import { release } from './release-endpoint.ts';

interface DetachEndpoint {
  /** Id, name, or NETWORK/NAME. */
  readonly endpoint: string;
  /** Detach even if the endpoint's host is not ready. */
  readonly force: boolean;
}

export interface Detached {
  readonly id: EndpointId;
  readonly name: Name;
  readonly network: NetworkId;
  readonly node: NodeId;
}

export interface DetachFacts {
  /** Whether the host can remove the interface now. */
  readonly isReady: (node: NodeId) => boolean;
  /** The caller is the agent of this host, and may detach endpoints of this host only; absent: of any host. */
  readonly ofHost?: NodeId;
}

/**
 * Detaches an endpoint, for an operator or for the agent of its host.
 * @throws from its plan: endpoint-unknown, name-ambiguous, network-unknown, permission-denied, node-unready
 */
export function detachEndpoint(request: DetachEndpoint, facts: DetachFacts): Request<Detached> {
  return {
    kind: 'endpoint.detach',
    content: JSON.stringify(request),
    outcome: { toJson: (detached) => ({ ...detached }), fromJson: (json) => json as unknown as Detached },
    plan: (planning) => planDetach(request, facts, planning),
  };
}

function planDetach(request: DetachEndpoint, { isReady, ofHost }: DetachFacts, planning: Planning): Proposal<Detached> {
  const found = planning.view.findEndpoint(request.endpoint);
  const { id, name, network, node } = found.value;
  if (ofHost !== undefined && node !== ofHost) throw ofAnotherHost(found.value, planning);
  const ready = isReady(node);
  if (!ready && !request.force) throw unready(found.value, planning);
  const why = ready ? undefined : 'forced while its host was not ready';
  const event = endpointDetached(found.value, planning.view, why);
  return { ...release(found, event, planning), reply: { id, name, network, node } };
}

function ofAnotherHost({ id, name, node }: Endpoint, { view }: Planning): CausewayError {
  const host = view.nodes.get(node)?.value.name ?? node;
  const message = `endpoint "${name}" is on host ${host}, and an agent may detach the endpoints of its own host only: detach it on that host, or with the credential of an operator`;
  return new CausewayError('permission-denied', message, { field: 'endpoint', endpoint: id, host });
}

function unready({ id, name, node }: Endpoint, { view }: Planning): CausewayError {
  const host = view.nodes.get(node)?.value.name ?? node;
  const message = `endpoint "${name}" is on host ${host}, which is not ready and cannot remove its interface now: wait for the host, or detach with --force: then the host removes the interface when it is back`;
  return new CausewayError('node-unready', message, { endpoint: id, host });
}
