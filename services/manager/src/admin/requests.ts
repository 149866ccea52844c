import {
  CausewayError,
  type ErrorData,
  type Ip,
  type Name,
  parseEndpointId,
  parseIp,
  parseName,
  parseNodeId,
  parsePrefix,
  type Result,
  type Subnet,
  unwrap,
} from '@causeway/model';
import type { ClaimEndpointRequest, ReleaseEndpointRequest } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import type { CreateNetworkRequest, DeleteNetworkRequest } from '@causeway/proto/gen/causeway/v1/network_service.js';
import type { Subnet as SubnetMessage } from '@causeway/proto/gen/causeway/v1/types.js';
import type { ClaimEndpoint } from './claim-endpoint.ts';
import type { CreateNetwork } from './create-network.ts';
import type { DeleteNetwork } from './delete-network.ts';
import type { ReleaseEndpoint } from './release-endpoint.ts';

/** The edge where text of a message becomes values. Every refusal names the field of the message. */
const defaultSpace = 'default' as Name;

export function readCreateNetwork(message: CreateNetworkRequest): CreateNetwork {
  return {
    name: unwrap(parseName(message.name)),
    addressSpace: message.addressSpace === '' ? defaultSpace : unwrap(parseName(message.addressSpace, 'address_space')),
    subnets: message.subnets.map(readSubnet),
    ...(message.vni === 0 ? {} : { vni: message.vni }),
    ...(message.mtu === 0 ? {} : { mtu: message.mtu }),
    labels: sorted(message.labels),
  };
}

export function readDeleteNetwork(message: DeleteNetworkRequest): DeleteNetwork {
  return { network: present(message.network, 'network') };
}

export function readClaimEndpoint(message: ClaimEndpointRequest): ClaimEndpoint {
  return {
    network: present(message.network, 'network'),
    name: unwrap(parseName(message.name)),
    node: inField('node_id', parseNodeId(message.nodeId)),
    addresses: message.addresses.map((text, i): Ip => inField(`addresses[${i}]`, parseIp(text))),
  };
}

export function readReleaseEndpoint(message: ReleaseEndpointRequest): ReleaseEndpoint {
  return {
    endpoint: inField('endpoint_id', parseEndpointId(message.endpointId)),
    node: inField('node_id', parseNodeId(message.nodeId)),
  };
}

function readSubnet(message: SubnetMessage, i: number): Subnet {
  const prefix = inField(`subnets[${i}]`, parsePrefix(message.prefix));
  return message.gateway === ''
    ? { prefix }
    : { prefix, gateway: inField(`subnets[${i}].gateway`, parseIp(message.gateway)) };
}

/** One order, so that the same labels are the same content. */
function sorted(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function present(value: string, field: string): string {
  if (value !== '') return value;
  throw new CausewayError('invalid-argument', `${field} is empty: give a name or an id`, { field });
}

function inField<Value>(field: string, parsed: Result<Value, CausewayError>): Value {
  if (parsed.ok) return parsed.value;
  const { code, message, data } = parsed.error;
  const named: ErrorData = { ...data, field };
  throw new CausewayError(code, `${field}: ${message}`, named, { cause: parsed.error });
}
