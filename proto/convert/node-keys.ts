import type { NodeId, NodeKeys } from '@causeway/model';
import type { NodeKeys as NodeKeysMessage } from '#gen/causeway/v1/session_service.js';

export function nodeKeysToMessage({ node, index, version, generations, chain, signature }: NodeKeys): NodeKeysMessage {
  return {
    nodeId: node,
    index,
    version: BigInt(version),
    generations: generations.map(({ generation, publicKey, createdAt, encapPort = 0 }) => {
      return { generation: BigInt(generation), publicKey, createdAtMs: BigInt(createdAt), encapPort };
    }),
    chain: [...chain],
    signature,
  };
}

/** Nothing is checked: who uses the keys verifies their form and their signature. */
export function nodeKeysFromMessage(message: NodeKeysMessage): NodeKeys {
  return {
    node: message.nodeId as NodeId,
    index: message.index,
    version: Number(message.version),
    generations: message.generations.map(({ generation, publicKey, createdAtMs, encapPort }) => {
      const known = { generation: Number(generation), publicKey, createdAt: Number(createdAtMs) };
      return encapPort === 0 ? known : { ...known, encapPort };
    }),
    chain: message.chain,
    signature: message.signature,
  };
}
