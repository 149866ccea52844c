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
import type { ReplayTally } from './replay-tally.ts';
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
  /** Packets of the other host that the SAs which receive have dropped as replays, or as too late, since the agent started. */
  readonly replayDrops: number;
}

/** What the kernel has. `now`: Unix ms. */
export interface Reading {
  readonly found: FoundIpsec;
  readonly replays: Pick<ReplayTally, 'of'>;
  readonly now: number;
}

export function peersOf(host: HostView, reading: Reading): readonly PeerStatus[] {
  return Array.from(host.peers, ([node, peer]) => peerOf(host, node, peer, reading));
}

/** `now`: Unix ms. */
export function nextKeyIn(newest: NewestKey | undefined, period: Duration, now: number): Duration | undefined {
  return newest && milliseconds(Math.max(0, dueAt(newest, period) - now));
}

function peerOf(host: HostView, node: NodeId, peer: PeerOfHost, { found, replays, now }: Reading): PeerStatus {
  const { own } = host;
  const { kernel, sendsWith } = foundPeer(host, peer, found);
  const sends = kernel.sent.find((pair) => samePair(pair, sendsWith));
  const sent = sends && found.xfrmStates.get(stateKey({ dst: peer.address, spi: spiOf(sends, own.index) }));
  const ofPeer = [...found.xfrmStates.values()].filter(({ src, dst }) => src === peer.address || dst === peer.address);
  const addedAt = sent?.counts?.addedAt;
  return {
    node,
    sends,
    receives: kernel.received,
    age: addedAt === undefined ? undefined : milliseconds(Math.max(0, now - seconds(addedAt))),
    esn: ofPeer.every(({ isStrict }) => isStrict),
    replayDrops: replays.of(peer.address),
  };
}
