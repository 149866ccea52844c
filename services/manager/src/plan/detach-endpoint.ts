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

/**
 * Detaches an endpoint for an operator, on any host. `isReady`: whether the host can remove the interface now.
 * @throws from its plan: endpoint-unknown, name-ambiguous, network-unknown, node-unready
 */
export function detachEndpoint(request: DetachEndpoint, isReady: (node: NodeId) => boolean): Request<Detached> {
  return {
    kind: 'endpoint.detach',
    content: JSON.stringify(request),
    outcome: { toJson: (detached) => ({ ...detached }), fromJson: (json) => json as unknown as Detached },
    plan: (planning) => planDetach(request, isReady(nodeOf(request, planning)), planning),
  };
}

function nodeOf({ endpoint }: DetachEndpoint, { view }: Planning): NodeId {
  return view.findEndpoint(endpoint).value.node;
}

function planDetach(request: DetachEndpoint, ready: boolean, planning: Planning): Proposal<Detached> {
  const found = planning.view.findEndpoint(request.endpoint);
  const { id, name, network, node } = found.value;
  if (!ready && !request.force) throw unready(found.value, planning);
  const why = ready ? undefined : 'forced while its host was not ready';
  const event = endpointDetached(found.value, planning.view, why);
  return { ...release(found, event, planning), reply: { id, name, network, node } };
}

function unready({ id, name, node }: Endpoint, { view }: Planning): CausewayError {
  const host = view.nodes.get(node)?.value.name ?? node;
  const message = `endpoint "${name}" is on host ${host}, which is not ready and cannot remove its interface now: wait for the host, or detach with --force: then the host removes the interface when it is back`;
  return new CausewayError('node-unready', message, { endpoint: id, host });
}
