import { stateKey } from '@causeway/datapath';
import {
  dueAt,
  type FoundIpsec,
  foundPeer,
  type HostView,
  type Pair,
  type PeerOfHost,
  samePair,
  spiOf,
} from '@causeway/encryption';
import type { NodeId } from '@causeway/model';
import { type Duration, milliseconds, seconds } from '@causeway/runtime';
import type { NewestKey } from './wish.ts';

/** The encrypted networks of this host, as its kernel has them. */
export interface EncryptionStatus {
  /** When this host makes its next key by itself. undefined: it has no key. */
  readonly nextKeyIn: Duration | undefined;
  readonly peers: readonly PeerStatus[];
  /**
   * Packets of any sender that the kernel has dropped because ESP did not protect them, since it started. It counts them for the
   * host, and policies of other programs are part of it. undefined: it does not count.
   */
  readonly plaintextDrops: number | undefined;
}

/** The SAs between this host and another. */
export interface PeerStatus {
  readonly node: NodeId;
  /** The pair with which this host sends. undefined: it sends nothing. */
  readonly sends: Pair | undefined;
  /** Pairs with which this host receives. */
  readonly receives: readonly Pair[];
  /** The age of the SA that sends. */
  readonly age: Duration | undefined;
  /** All SAs have extended sequence numbers, and those that receive a window against replays. */
  readonly esn: boolean;
  /** Packets that the SAs which receive have dropped as replays, or as too late, since they were made. */
  readonly replayDrops: number;
}

/** `now`: Unix ms. */
export function peersOf(host: HostView, found: FoundIpsec, now: number): readonly PeerStatus[] {
  return Array.from(host.peers, ([node, peer]) => peerOf(host, node, peer, found, now));
}

/** `now`: Unix ms. */
export function nextKeyIn(newest: NewestKey | undefined, period: Duration, now: number): Duration | undefined {
  return newest && milliseconds(Math.max(0, dueAt(newest, period) - now));
}

function peerOf(host: HostView, node: NodeId, peer: PeerOfHost, found: FoundIpsec, now: number): PeerStatus {
  const { own } = host;
  const { kernel, sendsWith } = foundPeer(host, peer, found);
  const sends = kernel.sent.find((pair) => samePair(pair, sendsWith));
  const sent = sends && found.xfrmStates.get(stateKey({ dst: peer.address, spi: spiOf(sends, own.index) }));
  const received = kernel.received.map((pair) =>
    found.xfrmStates.get(stateKey({ dst: own.address, spi: spiOf(pair, peer.keys.index) })),
  );
  const ofPeer = [...found.xfrmStates.values()].filter(({ src, dst }) => src === peer.address || dst === peer.address);
  const addedAt = sent?.counts?.addedAt;
  return {
    node,
    sends,
    receives: kernel.received,
    age: addedAt === undefined ? undefined : milliseconds(Math.max(0, now - seconds(addedAt))),
    esn: ofPeer.every(({ isStrict }) => isStrict),
    replayDrops: received.reduce((sum, state) => sum + (state?.counts?.replays ?? 0), 0),
  };
}
