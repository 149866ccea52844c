import { Ip, type Node, Prefix, parseIp, parseName, parseNodeId, unwrap } from '@causeway/model';
import { createdFromJson, createdToJson, labelsFromJson, list, number, omit, recordCodec, text } from './codec.ts';
import { type KeyKind, keyPart, type RecordKind, type Versioned, versioned } from './kind.ts';
import { type Fields, parseBoolean, parseNumber } from './listed.ts';
import { NodeIndex } from './node-index.ts';

export const node = {
  kind: 'node',
  path: [keyPart('id', parseNodeId)],
  codec: recordCodec<Node>(
    (value, original) => ({
      ...omit(original, 'hostRoutes', 'labels', 'encapPort', 'drained', 'createdAt'),
      id: value.id,
      name: value.name,
      dataPath: value.dataPath,
      underlayMtu: value.underlayMtu,
      version: value.version,
      ...(value.hostRoutes !== undefined && { hostRoutes: value.hostRoutes }),
      ...(value.labels !== undefined && { labels: value.labels }),
      ...(value.encapPort !== undefined && { encapPort: value.encapPort }),
      ...(value.drained !== undefined && { drained: value.drained }),
      ...createdToJson(value),
    }),
    (json) => ({
      id: unwrap(parseNodeId(text(json, 'id'))),
      name: unwrap(parseName(text(json, 'name'))),
      dataPath: Ip(text(json, 'dataPath')),
      underlayMtu: number(json, 'underlayMtu'),
      version: text(json, 'version'),
      ...(json['hostRoutes'] !== undefined && {
        hostRoutes: list(json, 'hostRoutes').map((route) => Prefix(String(route))),
      }),
      ...(json['labels'] !== undefined && { labels: labelsFromJson(json['labels']) }),
      ...(json['encapPort'] !== undefined && { encapPort: number(json, 'encapPort') }),
      ...(json['drained'] !== undefined && { drained: json['drained'] === true }),
      ...createdFromJson(json),
    }),
  ),
  keep: versioned<Node>,
  index: () => new NodeIndex(),
  listeners: 'record',
  fields: {
    id: { values: ({ value }) => [value.id] },
    name: { values: ({ value }) => [value.name] },
    data_path: { values: ({ value }) => [value.dataPath], parse: parseIp },
    underlay_mtu: { values: ({ value }) => [`${value.underlayMtu}`], parse: parseNumber },
    version: { values: ({ value }) => [value.version] },
    drained: { values: ({ value }) => [`${value.drained ?? false}`], parse: parseBoolean },
  } as Fields<Versioned<Node>>,
} as const satisfies RecordKind;

/** Who has a name: the host's id. */
export const nodeName = { kind: 'node-name', path: [keyPart('name', parseName)] } as const satisfies KeyKind;
