import { CausewayError, type EndpointId, type NodeId } from '@causeway/model';
import { endpointClaims } from './claim-endpoint.ts';
import { noOutcome, type Planning, type Proposal, type Request } from './intent.ts';

export interface ReleaseEndpoint {
  readonly endpoint: EndpointId;
  /** The host that asks: it may release its own only. */
  readonly node: NodeId;
}

/** @throws from its plan: endpoint-unknown, permission-denied */
export function releaseEndpoint(request: ReleaseEndpoint): Request<void> {
  return {
    kind: 'endpoint.release',
    content: JSON.stringify(request),
    outcome: noOutcome,
    plan: (planning) => planReleaseEndpoint(request, planning),
  };
}

export function planReleaseEndpoint(request: ReleaseEndpoint, planning: Planning): Proposal<void> {
  const { view, keys } = planning;
  const { value: endpoint, revision } = view.findEndpoint(request.endpoint);
  if (endpoint.node !== request.node) {
    const message = `endpoint "${endpoint.name}" belongs to another host: only that one releases it`;
    throw new CausewayError('permission-denied', message, { field: 'node', endpoint: endpoint.id });
  }
  const key = keys.endpoint(endpoint.network, endpoint.id);
  return {
    compares: [{ kind: 'unchanged', key, modRevision: revision }],
    writes: [key, ...endpointClaims(endpoint, planning)].map((gone) => ({ kind: 'delete', key: gone })),
    takes: [],
    reply: undefined,
  };
}
