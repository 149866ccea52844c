import { hkdfSync } from 'node:crypto';
import { SaKey, saKeySize } from '@causeway/datapath';
import type { ClusterId, NodeId } from '@causeway/model';
import type { Pair } from './pair.ts';

/** Which SA a key is for. Two SAs that differ in any of these have keys that have nothing to do with each other. */
export interface SaPurpose {
  readonly cluster: ClusterId;
  readonly sender: NodeId;
  readonly receiver: NodeId;
  readonly pair: Pair;
}

/** Names the use and the layout. Another layout gets another text. */
const label = 'causeway SA key 1';

/**
 * Key and salt of an SA, from the secret that both nodes have in common (RFC 5869, with SHA-256). Both directions of a pair share
 * the secret, and differ in sender and receiver.
 */
export function saKeyOf(secret: Uint8Array, { cluster, sender, receiver, pair }: SaPurpose): SaKey {
  // Ids have 16 hex digits and generations only decimal digits, so no two purposes have the same text.
  const info = [label, cluster, sender, receiver, pair.sender, pair.receiver].join('\0');
  const bytes = new Uint8Array(
    hkdfSync('sha256', secret, new Uint8Array(0), new TextEncoder().encode(info), saKeySize),
  );
  const key = SaKey.of(bytes);
  bytes.fill(0);
  return key;
}
