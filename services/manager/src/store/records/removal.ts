import { formatPeer, type PeerName, parseRole, type Removals } from '@causeway/identity';
import { unwrap } from '@causeway/model';
import { peerPath } from './certificate.ts';
import { list, number, omit, recordCodec, text } from './codec.ts';
import { type RecordKind, type Versioned, versioned } from './kind.ts';
import { PeerIndex } from './peer-index.ts';

/**
 * A member that was removed from the cluster. Its certificates that were issued up to then are refused. The record is kept
 * until the last of these has expired.
 */
export interface Removal extends Pick<PeerName, 'role' | 'id'> {
  /** Unix ms. */
  readonly at: number;
  /** Unix ms: no certificate that was issued before `at` is valid any more. */
  readonly until: number;
  /** For people: what the member was called, and why it was removed. */
  readonly reason: string;
  /** Serial numbers of the refused certificates of a manager, for etcd, which refuses by nothing else. */
  readonly serials?: readonly string[];
}

/** Also in the form in which certificates are verified: at each call, so it is kept. */
export class RemovalIndex extends PeerIndex<Versioned<Removal>> {
  readonly #times = new Map<string, number>();
  readonly removals: Removals = { peers: this.#times, serials: new Set() };

  /** Serial numbers of certificates that the etcds of managers refuse. */
  get revokedSerials(): readonly string[] {
    return [...this.all.values()].flatMap(({ value }) => value.serials ?? []);
  }

  override set(peer: Pick<PeerName, 'role' | 'id'>, record: Versioned<Removal>): void {
    super.set(peer, record);
    this.#times.set(formatPeer(peer), record.value.at);
  }

  override delete(peer: Pick<PeerName, 'role' | 'id'>): void {
    super.delete(peer);
    this.#times.delete(formatPeer(peer));
  }
}

export const removed = {
  kind: 'removed',
  path: peerPath,
  codec: recordCodec<Removal>(
    ({ role, id, at, until, reason, serials }, original) => ({
      ...omit(original, 'serials'),
      ...{ role, id, at, until, reason },
      ...(serials !== undefined && { serials }),
    }),
    (json) => ({
      role: unwrap(parseRole(text(json, 'role'))),
      id: text(json, 'id'),
      at: number(json, 'at'),
      until: number(json, 'until'),
      reason: text(json, 'reason'),
      ...(json['serials'] !== undefined && { serials: list(json, 'serials').map(String) }),
    }),
  ),
  keep: versioned<Removal>,
  index: () => new RemovalIndex(),
  listeners: 'record',
} as const satisfies RecordKind;
