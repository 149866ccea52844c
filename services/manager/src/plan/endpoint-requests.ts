import { type Ip, parseEndpointId, parseIp, parseName, parseNodeId, parseReference, unwrap } from '@causeway/model';
import {
  type ClaimEndpointRequest,
  ReleaseReason as Reason,
  type ReleaseEndpointRequest,
} from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import type { ClaimEndpoint } from './claim-endpoint.ts';
import { inField, sorted } from './fields.ts';
import type { ReleaseEndpoint, ReleaseReason } from './release-endpoint.ts';

/** An unknown reason, from a later agent, counts as "asked": the endpoint is released in any case. */
const reasons: Readonly<Partial<Record<Reason, ReleaseReason>>> = {
  [Reason.ATTACH_FAILED]: 'attach-failed',
  [Reason.CONTAINER_GONE]: 'container-gone',
  [Reason.CONTAINER_UNKNOWN]: 'container-unknown',
};

export function readClaimEndpoint(message: ClaimEndpointRequest): ClaimEndpoint {
  return {
    network: unwrap(parseReference(message.network, 'network')),
    name: unwrap(parseName(message.name)),
    node: inField('node_id', parseNodeId(message.nodeId)),
    addresses: message.addresses.map((text, i): Ip => inField(`addresses[${i}]`, parseIp(text))),
    ...(Object.keys(message.labels).length > 0 && { labels: sorted(message.labels) }),
    ...(message.endpointId !== '' && { former: inField('endpoint_id', parseEndpointId(message.endpointId)) }),
  };
}

export function readReleaseEndpoint(message: ReleaseEndpointRequest): ReleaseEndpoint {
  return {
    endpoint: inField('endpoint_id', parseEndpointId(message.endpointId)),
    node: inField('node_id', parseNodeId(message.nodeId)),
    reason: reasons[message.reason] ?? 'asked',
  };
}
