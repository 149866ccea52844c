import { peerPath } from './certificate.ts';
import type { Decoded } from './codec.ts';
import { number, recordCodec, text } from './codec.ts';
import type { RecordKind } from './kind.ts';
import { PeerIndex } from './peer-index.ts';

/**
 * A member that was removed from the cluster. Its certificates that were issued up to then are refused. The record is kept
 * until the last of these has expired.
 */
export interface Removal {
  /** Unix ms. */
  readonly at: number;
  /** Unix ms: no certificate that was issued before `at` is valid any more. */
  readonly until: number;
  /** For people: what the member was called, and why it was removed. */
  readonly reason: string;
}

export const removed = {
  kind: 'removed',
  path: peerPath,
  codec: recordCodec<Removal>(
    ({ at, until, reason }, original) => ({ ...original, at, until, reason }),
    (json) => ({ at: number(json, 'at'), until: number(json, 'until'), reason: text(json, 'reason') }),
  ),
  keep: ({ value }: Decoded<Removal>) => value,
  index: () => new PeerIndex<Removal>(),
  listeners: 'record',
} as const satisfies RecordKind;
