import { type Ip, parseEndpointId, parseIp, parseName, parseNodeId, unwrap } from '@causeway/model';
import type { ClaimEndpointRequest, ReleaseEndpointRequest } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import type { ClaimEndpoint } from './claim-endpoint.ts';
import { inField, present, sorted } from './fields.ts';
import type { ReleaseEndpoint } from './release-endpoint.ts';

export function readClaimEndpoint(message: ClaimEndpointRequest): ClaimEndpoint {
  return {
    network: present(message.network, 'network'),
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
  };
}
