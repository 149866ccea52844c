import type { CryptoResult, KeyPair } from '@causeway/proto/gen/causeway/v1/session_service.js';
import type { EncryptionStatus } from '../encryption/status.ts';

/** `call`: the call that this answers. */
export function cryptoResult(call: bigint, { peers, nextKeyIn, plaintextDrops }: EncryptionStatus): CryptoResult {
  return {
    call,
    error: '',
    peers: peers.map(({ node, sends, receives, age, esn, replayDrops }) => ({
      nodeId: node,
      ...(sends && { sends: pair(sends) }),
      receives: receives.map(pair),
      ageMs: count(age ?? 0),
      esn,
      replayDrops: count(replayDrops),
    })),
    nextKeyMs: count(nextKeyIn ?? 0),
    ...(plaintextDrops !== undefined && { plaintextDrops: count(plaintextDrops) }),
  };
}

/** The kernel could not be read. */
export function cryptoFailure(call: bigint, error: string): CryptoResult {
  return { call, error, peers: [], nextKeyMs: 0n };
}

function pair({ sender, receiver }: { readonly sender: number; readonly receiver: number }): KeyPair {
  return { sender: BigInt(sender), receiver: BigInt(receiver) };
}

function count(value: number): bigint {
  return BigInt(Math.max(0, Math.trunc(value)));
}
