import {
  type Endpoint,
  type EndpointId,
  type EndpointRow,
  InterfaceAddress,
  Ip,
  Mac,
  type Name,
  type NetworkId,
  type NodeId,
} from '@causeway/model';
import { EndpointRow as EndpointRowMessage } from '#gen/causeway/v1/session_service.js';
import type { Endpoint as EndpointMessage } from '#gen/causeway/v1/types.js';
import type { RowMessages } from './row-messages.ts';

/** `network` and `host`: names of the endpoint's network and host. The manager sets `applied` and the conditions. */
export function endpointToMessage(
  endpoint: Endpoint,
  names: { network: string; host: string },
  revision: bigint,
): EndpointMessage {
  return {
    id: endpoint.id,
    name: endpoint.name,
    networkId: endpoint.network,
    network: names.network,
    nodeId: endpoint.node,
    host: names.host,
    addresses: [...endpoint.addresses],
    mac: endpoint.mac,
    revision,
    labels: { ...endpoint.labels },
    conditions: [],
    createdAtMs: BigInt(endpoint.createdAt ?? 0),
  };
}

export function endpointFromMessage(message: EndpointMessage): Endpoint {
  return {
    id: message.id as EndpointId,
    network: message.networkId as NetworkId,
    name: message.name as Name,
    node: message.nodeId as NodeId,
    addresses: message.addresses.map(InterfaceAddress),
    mac: Mac(message.mac),
    ...(Object.keys(message.labels).length > 0 && { labels: message.labels }),
  };
}

export const endpointRows: RowMessages<EndpointRow, EndpointRowMessage> = {
  rows: 'endpoints',
  removed: 'removedEndpointIds',
  type: EndpointRowMessage,
  toMessage: (row) => ({
    id: row.id,
    name: row.name,
    nodeId: row.node,
    addresses: [...row.addresses],
    mac: row.mac,
    vtep: row.vtep,
  }),
  fromMessage: (message) => ({
    id: message.id as EndpointId,
    name: message.name as Name,
    node: message.nodeId as NodeId,
    addresses: message.addresses.map(InterfaceAddress),
    mac: Mac(message.mac),
    vtep: Ip(message.vtep),
  }),
};
