import type { Pair, Receipt } from '@causeway/encryption';
import { isKeyNumber, isNodeIndex, lastToldNumber, type NodeId, type NodeKeys } from '@causeway/model';
import { nodeKeysFromMessage, nodeKeysToMessage } from '@causeway/proto';
import type {
  ConnectRequest,
  ConnectResponse,
  KeyPair,
  KeyReceipt,
} from '@causeway/proto/gen/causeway/v1/session_service.js';

/** The keys of another host as the managers pass them on: nothing is verified. */
export interface SentKeys {
  readonly keys: NodeKeys;
  /** The VTEP. */
  readonly dataPath: string;
}

/** What managers say of the keys of encrypted networks. */
export type KeyNews =
  /** What the managers have of this host. */
  | { readonly kind: 'own'; readonly index: number; readonly version: number; readonly newest: number }
  | {
      readonly kind: 'peers';
      /** Hosts that are not named share no encrypted network with this host. */
      readonly isComplete: boolean;
      readonly peers: readonly SentKeys[];
      readonly removed: readonly NodeId[];
    }
  | { readonly kind: 'receipts'; readonly receipts: readonly (readonly [NodeId, Receipt])[] };

/**
 * undefined: the message is about something else, or says what cannot be: an index of no node, or a number without end. Managers
 * are not trusted with what hosts compute keys and SPIs from.
 */
export function readKeyNews({ message }: ConnectResponse): KeyNews | undefined {
  switch (message.oneofKind) {
    case 'ownKeys': {
      const { index, version, newest } = message.ownKeys;
      const isTrue = isNodeIndex(index) && version <= lastToldNumber && newest <= lastToldNumber;
      return isTrue ? { kind: 'own', index, version: Number(version), newest: Number(newest) } : undefined;
    }
    case 'peerKeys': {
      const { complete, peers, removedNodeIds } = message.peerKeys;
      const sent = peers.flatMap(({ keys, dataPath }) => (keys ? [{ keys: nodeKeysFromMessage(keys), dataPath }] : []));
      return { kind: 'peers', isComplete: complete, peers: sent, removed: removedNodeIds as NodeId[] };
    }
    case 'receipts': {
      const possible = message.receipts.receipts.filter(isPossible);
      const receipts = possible.map((each) => [each.nodeId as NodeId, readReceipt(each)] as const);
      return { kind: 'receipts', receipts };
    }
    default:
      return undefined;
  }
}

/** Asks for the host's index, and for the keys of its peers. */
export const question: ConnectRequest = {
  message: {
    oneofKind: 'keys',
    keys: { nodeId: '', index: 0, version: 0n, generations: [], chain: [], signature: new Uint8Array(0) },
  },
};

export function publication(keys: NodeKeys): ConnectRequest {
  return { message: { oneofKind: 'keys', keys: nodeKeysToMessage(keys) } };
}

export function receiptsMessage(receipts: Iterable<readonly [NodeId, Receipt]>): ConnectRequest {
  const messages = Array.from(receipts, ([node, { version, receives, sends }]): KeyReceipt => {
    const common = { nodeId: node, version: BigInt(version), receives: receives.map(pairToMessage) };
    return sends === undefined ? common : { ...common, sends: pairToMessage(sends) };
  });
  return { message: { oneofKind: 'receipts', receipts: { receipts: messages } } };
}

/** The version of a receipt may be 0: its host has no record of the peer yet. */
function isPossible({ version, receives, sends }: KeyReceipt): boolean {
  const pairs = [...receives, ...(sends === undefined ? [] : [sends])];
  const arePossible = pairs.every((pair) => [pair.sender, pair.receiver].every((each) => isKeyNumber(Number(each))));
  return arePossible && (version === 0n || isKeyNumber(Number(version)));
}

function readReceipt({ version, receives, sends }: KeyReceipt): Receipt {
  const receipt = { version: Number(version), receives: receives.map(readPair) };
  return sends === undefined ? receipt : { ...receipt, sends: readPair(sends) };
}

function readPair({ sender, receiver }: KeyPair): Pair {
  return { sender: Number(sender), receiver: Number(receiver) };
}

function pairToMessage({ sender, receiver }: Pair): KeyPair {
  return { sender: BigInt(sender), receiver: BigInt(receiver) };
}
