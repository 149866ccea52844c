import { type Name, type Node, parseIp, parseName, parseNodeId, parsePrefix, unwrap } from '@causeway/model';
import type { Node as NodeMessage } from '#gen/causeway/v1/types.js';

/** The fields of the record. The manager adds readiness, counts and conditions. */
export function nodeToMessage(node: Node, revision: bigint): NodeMessage {
  return {
    id: node.id,
    name: node.name,
    dataPath: node.dataPath,
    underlayMtu: node.underlayMtu,
    version: node.version,
    ready: false,
    endpoints: 0,
    networks: 0,
    repairs: 0n,
    revision,
    hostRoutes: [...(node.hostRoutes ?? [])],
    labels: { ...node.labels },
    conditions: [],
    createdAtMs: BigInt(node.createdAt ?? 0),
    drained: node.drained ?? false,
    encapPort: node.encapPort ?? 0,
  };
}

/** Validates a message of an agent. Throws a CausewayError that names the field. */
export function nodeFromMessage(message: NodeMessage): Node {
  return {
    id: unwrap(parseNodeId(message.id)),
    name: unwrap(parseName(message.name, 'node.name')) satisfies Name,
    dataPath: unwrap(parseIp(message.dataPath)),
    underlayMtu: message.underlayMtu,
    version: message.version,
    ...(message.hostRoutes.length > 0 && { hostRoutes: message.hostRoutes.map((route) => unwrap(parsePrefix(route))) }),
    ...(Object.keys(message.labels).length > 0 && { labels: message.labels }),
    ...(message.encapPort !== 0 && { encapPort: message.encapPort }),
  };
}
