import { formatPeer, type PeerName } from '@causeway/identity';
import type { Index } from './kind.ts';

type PeerParts = Pick<PeerName, 'role' | 'id'>;

/** Records about members of the cluster, by "agent/7c0e…". */
export class PeerIndex<Kept> implements Index<PeerParts, Kept> {
  readonly #all = new Map<string, Kept>();

  get all(): ReadonlyMap<string, Kept> {
    return this.#all;
  }

  get(peer: PeerParts): Kept | undefined {
    return this.#all.get(formatPeer(peer));
  }

  set(peer: PeerParts, kept: Kept): void {
    this.#all.set(formatPeer(peer), kept);
  }

  delete(peer: PeerParts): void {
    this.#all.delete(formatPeer(peer));
  }
}
