import type { Network, NetworkId, RowChanges, RowMaps } from '@causeway/model';
import { networkToMessage, rowsToMessages, written } from '@causeway/proto';
import {
  ConnectResponse,
  type Goodbye,
  type HostState,
  type KeyReceipt,
  type OwnKeys,
  type PeerKeys,
  type Welcome,
} from '@causeway/proto/gen/causeway/v1/session_service.js';
import type { RemovedManager } from '@causeway/proto/gen/causeway/v1/types.js';
import type { Versioned } from '../store/view.ts';
import type { Sums } from './sums.ts';

/**
 * The messages of a session as the bytes of a whole ConnectResponse. A message for many agents is encoded once, and every
 * stream gets the same array. No code may write into an array after it was made.
 */
export interface CompleteParts {
  readonly network: Versioned<Network>;
  readonly revision: bigint;
  readonly digest: bigint;
  readonly rows: RowMaps;
}

export interface DeltaParts {
  readonly network: NetworkId;
  readonly from: bigint;
  readonly to: bigint;
  /** Digests of the network after the step. */
  readonly sums: Sums;
  /** Only when the network itself changed. */
  readonly changed?: Versioned<Network> | undefined;
  readonly changes: RowChanges;
}

export function encodeWelcome(welcome: Welcome): Uint8Array {
  return ConnectResponse.toBinary({ message: { oneofKind: 'welcome', welcome } }, written);
}

export function encodeComplete(parts: CompleteParts): Uint8Array {
  const complete = {
    network: networkToMessage(parts.network.value, parts.network.revision),
    revision: parts.revision,
    digest: parts.digest,
    ...rowsToMessages((kind) => parts.rows[kind].values()),
    epoch: 0n,
    feedVersion: 0, // absent: Welcome has named the version of the session
  };
  return ConnectResponse.toBinary({ message: { oneofKind: 'complete', complete } }, written);
}

export function encodeWithdraw(network: string): Uint8Array {
  return ConnectResponse.toBinary({ message: { oneofKind: 'withdraw', withdraw: { networkId: network } } }, written);
}

export function encodeReady(revision: bigint): Uint8Array {
  return ConnectResponse.toBinary({ message: { oneofKind: 'ready', ready: { revision } } }, written);
}

export function encodeVerify(call: bigint, repair: boolean): Uint8Array {
  return ConnectResponse.toBinary({ message: { oneofKind: 'verify', verify: { call, repair } } }, written);
}

export function encodeCryptoCall(call: bigint): Uint8Array {
  return ConnectResponse.toBinary({ message: { oneofKind: 'crypto', crypto: { call } } }, written);
}

export function encodeRekey(afterGeneration: number): Uint8Array {
  const rekey = { afterGeneration: BigInt(afterGeneration) };
  return ConnectResponse.toBinary({ message: { oneofKind: 'rekey', rekey } }, written);
}

export function encodeHostState(hostState: HostState): Uint8Array {
  return ConnectResponse.toBinary({ message: { oneofKind: 'hostState', hostState } }, written);
}

export function encodeRemovedManagers(managers: RemovedManager[]): Uint8Array {
  const message = { oneofKind: 'removedManagers', removedManagers: { managers } } as const;
  return ConnectResponse.toBinary({ message }, written);
}

export function encodeOwnKeys(ownKeys: OwnKeys): Uint8Array {
  return ConnectResponse.toBinary({ message: { oneofKind: 'ownKeys', ownKeys } }, written);
}

export function encodePeerKeys(peerKeys: PeerKeys): Uint8Array {
  return ConnectResponse.toBinary({ message: { oneofKind: 'peerKeys', peerKeys } }, written);
}

export function encodeKeyReceipts(receipts: readonly KeyReceipt[]): Uint8Array {
  return ConnectResponse.toBinary(
    { message: { oneofKind: 'receipts', receipts: { receipts: [...receipts] } } },
    written,
  );
}

export function encodeGoodbye(goodbye: Goodbye): Uint8Array {
  return ConnectResponse.toBinary({ message: { oneofKind: 'goodbye', goodbye } }, written);
}
