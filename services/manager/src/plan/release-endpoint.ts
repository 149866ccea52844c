import { addressOf, assertNever, CausewayError, type Endpoint, type EndpointId, type NodeId } from '@causeway/model';
import { endpointDetached, endpointOrphaned } from '../events/describe.ts';
import type { EventInput } from '../events/event-input.ts';
import type { Claimed } from '../store/records/claim.ts';
import { records } from '../store/records/index.ts';
import type { Write } from '../store/store.ts';
import type { Versioned, View } from '../store/view.ts';
import { type Intent, noOutcome, nothingToDo, type Planning, type Proposal, type Request } from './intent.ts';

export interface ReleaseEndpoint {
  readonly endpoint: EndpointId;
  /** The host that asks. A host may release only its own endpoints. */
  readonly node: NodeId;
  readonly reason: ReleaseReason;
}

/** Why a host releases an endpoint. */
export type ReleaseReason = 'asked' | 'attach-failed' | 'container-gone' | 'container-unknown';

/** @throws from its plan: endpoint-unknown, permission-denied */
export function releaseEndpoint(request: ReleaseEndpoint): Request<void> {
  return {
    kind: 'endpoint.release',
    content: JSON.stringify(request),
    outcome: noOutcome,
    plan: (planning) => planReleaseEndpoint(request, planning),
  };
}

function planReleaseEndpoint(request: ReleaseEndpoint, planning: Planning): Proposal<void> {
  const { view } = planning;
  const { value: endpoint, revision } = view.findEndpoint(request.endpoint);
  if (endpoint.node !== request.node) {
    const message = `endpoint "${endpoint.name}" belongs to another host: only that host may release it`;
    throw new CausewayError('permission-denied', message, { field: 'node', endpoint: endpoint.id });
  }
  return release({ value: endpoint, revision }, eventFor(endpoint, request.reason, view), planning);
}

/** Releases an endpoint without a request of its host. Writes nothing if the endpoint is gone already. */
export function releaseByManager(
  id: EndpointId,
  eventOf: (endpoint: Endpoint, view: View) => EventInput,
): Intent<void> {
  return {
    plan: (planning) => {
      const found = planning.view.endpoint(id);
      if (found === undefined) return nothingToDo(undefined);
      return release(found, eventOf(found.value, planning.view), planning);
    },
  };
}

export function release(
  { value, revision }: Versioned<Endpoint>,
  event: EventInput,
  planning: Planning,
): Proposal<void> {
  const key = planning.keys.endpoint(value.network, value.id);
  return {
    compares: [{ kind: 'unchanged', key, modRevision: revision }],
    writes: releaseWrites(value, planning),
    takes: [],
    events: [event],
    reply: undefined,
  };
}

function eventFor(endpoint: Endpoint, reason: ReleaseReason, view: View): EventInput {
  switch (reason) {
    case 'asked':
      return endpointDetached(endpoint, view);
    case 'attach-failed':
      return endpointDetached(endpoint, view, 'it could not be attached');
    case 'container-gone':
      return endpointOrphaned(endpoint, view, 'the network namespace of its container is gone');
    case 'container-unknown':
      return endpointOrphaned(endpoint, view, 'its host knows of no container for it');
    default:
      return assertNever(reason);
  }
}

/** Deletes the record and the name. The addresses cool, since hosts may still send to them for a while. */
function releaseWrites(endpoint: Endpoint, { view, keys }: Pick<Planning, 'view' | 'keys'>): readonly Write[] {
  const { id, network, name, node, mac } = endpoint;
  const value = records.address.codec.encode({ kind: 'cooling', endpointName: name, node });
  const isOwn = ({ claim }: Claimed): boolean => claim.kind === 'endpoint' && claim.endpoint === id;
  const cooling = [
    ...endpoint.addresses
      .map(addressOf)
      .map((ip) => ({ key: keys.address(network, ip), claimed: view.addressesOf(network).get(ip) })),
    { key: keys.mac(network, mac), claimed: view.macsOf(network).get(mac) },
  ];
  return [
    { kind: 'delete', key: keys.endpoint(network, id) },
    { kind: 'delete', key: keys.endpointName(network, name) },
    ...cooling
      .filter(({ claimed }) => claimed !== undefined && isOwn(claimed))
      .map(({ key }): Write => ({ kind: 'put', key, value })),
  ];
}
