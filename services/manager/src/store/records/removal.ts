import { formatPeer, type PeerName, type PeerRemoval, parseRole, type Removals } from '@causeway/identity';
import { unwrap } from '@causeway/model';
import { peerPath } from './certificate.ts';
import { list, number, omit, recordCodec, text } from './codec.ts';
import { type RecordKind, type Versioned, versioned } from './kind.ts';
import { PeerIndex } from './peer-index.ts';

/**
 * A member that was removed from the cluster, or has joined again. Its certificates that were issued up to then are refused. The record
 * is kept until the last of these has expired.
 */
export interface Removal extends Pick<PeerName, 'role' | 'id'> {
  /** Unix ms. */
  readonly at: number;
  /** Unix ms: no certificate that was issued before `at` is valid any more. */
  readonly until: number;
  /** For people: what the member was called, and why it was removed. */
  readonly reason: string;
  /**
   * The last generation of the CA whose key a removed manager may know. With that key, it can make itself
   * certificates of any time; so all its certificates are refused until it joins again, and the record is kept until the CA was
   * replaced. Absent: `at` counts.
   */
  readonly knownCa?: number;
  /**
   * The member has joined again: only its earlier certificates are refused, not its id, also if a restore has lost the record of the
   * present certificate.
   */
  readonly hasJoined?: true;
  /** Serial numbers of the refused certificates of a manager, for etcd, which refuses by nothing else. */
  readonly serials?: readonly string[];
}

/** Also in the form in which certificates are verified: at each call, so it is kept. */
export class RemovalIndex extends PeerIndex<Versioned<Removal>> {
  readonly #peers = new Map<string, PeerRemoval>();
  readonly removals: Removals = { peers: this.#peers, serials: new Set() };

  /** Serial numbers of certificates that the etcds of managers refuse. */
  get revokedSerials(): readonly string[] {
    return [...this.all.values()].flatMap(({ value }) => value.serials ?? []);
  }

  override set(peer: Pick<PeerName, 'role' | 'id'>, record: Versioned<Removal>): void {
    super.set(peer, record);
    const { at, knownCa } = record.value;
    this.#peers.set(formatPeer(peer), { at, isUntilJoin: knownCa !== undefined });
  }

  override delete(peer: Pick<PeerName, 'role' | 'id'>): void {
    super.delete(peer);
    this.#peers.delete(formatPeer(peer));
  }
}

export const removed = {
  kind: 'removed',
  path: peerPath,
  codec: recordCodec<Removal>(
    ({ role, id, at, until, reason, knownCa, hasJoined, serials }, original) => ({
      ...omit(original, 'knownCa', 'hasJoined', 'serials'),
      ...{ role, id, at, until, reason },
      ...(knownCa !== undefined && { knownCa }),
      ...(hasJoined !== undefined && { hasJoined }),
      ...(serials !== undefined && { serials }),
    }),
    (json) => ({
      role: unwrap(parseRole(text(json, 'role'))),
      id: text(json, 'id'),
      at: number(json, 'at'),
      until: number(json, 'until'),
      reason: text(json, 'reason'),
      ...(json['knownCa'] !== undefined && { knownCa: number(json, 'knownCa') }),
      ...(json['hasJoined'] === true && { hasJoined: true as const }),
      ...(json['serials'] !== undefined && { serials: list(json, 'serials').map(String) }),
    }),
  ),
  keep: versioned<Removal>,
  index: () => new RemovalIndex(),
  listeners: 'record',
} as const satisfies RecordKind;
