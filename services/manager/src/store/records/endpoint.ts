import {
  addressOf,
  type Endpoint,
  type EndpointRow,
  InterfaceAddress,
  Mac,
  parseEndpointId,
  parseIp,
  parseMac,
  parseName,
  parseNetworkId,
  parseNodeId,
  unwrap,
} from '@causeway/model';
import { createdFromJson, createdToJson, labelsFromJson, list, omit, recordCodec, text } from './codec.ts';
import { EndpointIndex } from './endpoint-index.ts';
import { type KeyKind, keyPart, versioned } from './kind.ts';
import type { Fields, Named } from './listed.ts';
import type { RecordRow, RowRecordKind } from './row.ts';

export const endpoint = {
  kind: 'endpoint',
  path: [keyPart('network', parseNetworkId), keyPart('id', parseEndpointId)],
  codec: recordCodec<Endpoint>(
    (value, original) => ({
      ...omit(original, 'labels', 'createdAt'),
      id: value.id,
      network: value.network,
      name: value.name,
      node: value.node,
      addresses: value.addresses,
      mac: value.mac,
      ...(value.labels !== undefined && { labels: value.labels }),
      ...createdToJson(value),
    }),
    (json) => ({
      id: unwrap(parseEndpointId(text(json, 'id'))),
      network: unwrap(parseNetworkId(text(json, 'network'))),
      name: unwrap(parseName(text(json, 'name'))),
      node: unwrap(parseNodeId(text(json, 'node'))),
      addresses: list(json, 'addresses').map((item) => InterfaceAddress(String(item))),
      mac: Mac(text(json, 'mac')),
      ...(json['labels'] !== undefined && { labels: labelsFromJson(json['labels']) }),
      ...createdFromJson(json),
    }),
  ),
  keep: versioned<Endpoint>,
  index: () => new EndpointIndex(),
  listeners: 'record',
  fields: {
    id: { values: ({ value }) => [value.id] },
    name: { values: ({ value }) => [value.name] },
    network: { values: ({ value, names }) => [names.network, value.network] },
    host: { values: ({ value, names }) => [names.host, value.node] },
    address: { values: ({ value }) => value.addresses.map(addressOf), parse: parseIp },
    mac: { values: ({ value }) => [value.mac], parse: parseMac },
  } as Fields<Named<Endpoint, 'network' | 'host'>>,
  names: {
    network: { kind: 'network', id: ({ network }: Endpoint) => network, unknown: () => '' },
    host: { kind: 'node', id: ({ node }: Endpoint) => node, unknown: (id) => id },
  },
  // Other hosts need the VTEP of the endpoint's host, so the row also changes when the VTEP changes.
  row: {
    make: ({ id, name, node, addresses, mac }, nodes) => {
      const vtep = nodes.get(node)?.value.dataPath;
      return vtep === undefined ? undefined : { id, name, node, addresses, mac, vtep };
    },
    changedBy: ({ id, before, after }, endpoints) =>
      before?.value.dataPath === after?.value.dataPath ? [] : endpoints.on(id),
    hostOf: ({ node }) => node,
  } as RecordRow<Endpoint, EndpointRow, EndpointIndex>,
} as const satisfies RowRecordKind<EndpointRow>;

/** Who has a name in a network: the endpoint's id. */
export const endpointName = {
  kind: 'endpoint-name',
  path: [keyPart('network', parseNetworkId), keyPart('name', parseName)],
} as const satisfies KeyKind;
