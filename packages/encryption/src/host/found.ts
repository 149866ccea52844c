import { type Namespace, ourReqid, policyKey, stateKey } from '@causeway/datapath';
import { type Pair, spiOf } from '../pair.ts';
import { noPairs, type PairLists } from '../protocol/view.ts';
import { isEncapsulated } from './encap.ts';
import type { HostView, PeerOfHost } from './host-view.ts';
import { demand } from './policies.ts';

/** SAs, policies and sockets of a namespace, as the kernel has them. */
export type FoundIpsec = Pick<Namespace, 'xfrmStates' | 'xfrmPolicies' | 'encapSockets'>;

/** What the kernel has for a peer, in the terms of the protocol. */
export interface FoundPeer {
  readonly kernel: PairLists;
  readonly sendsWith?: Pair;
  /** The policy names an SA of a key that is lost. Until the policy has changed, the peer cannot be told what this node sends with. */
  readonly isUnknown: boolean;
}

/** Only SAs that are exactly as they are made count: an SA with another key or a weaker form is not there. */
export function foundPeer(host: HostView, peer: PeerOfHost, found: FoundIpsec): FoundPeer {
  const { own, stored, secrets } = host;
  const generations = stored.keyring.generations.map(({ generation }) => generation);
  const theirs = peer.keys.generations.map(({ generation }) => generation);
  const has =
    (direction: 'in' | 'out') =>
    (pair: Pair): boolean => {
      const [src, dst] = direction === 'in' ? [peer.address, own.address] : [own.address, peer.address];
      const spi = spiOf(pair, direction === 'in' ? peer.keys.index : own.index);
      const state = found.xfrmStates.get(stateKey({ dst, spi }));
      const isAsMade = state?.src === src && state.isStrict && state.reqid === ourReqid;
      if (!isAsMade || (state.encap !== undefined) !== isEncapsulated(host, peer, direction, pair)) return false;
      const key = secrets.saKey({ ...own, keys: stored.keys }, peer.keys, direction, pair);
      return key !== undefined && state.key.equals(key);
    };
  const received = theirs.flatMap((sender) => generations.map((receiver) => ({ sender, receiver })));
  const sent = generations.flatMap((sender) => theirs.map((receiver) => ({ sender, receiver })));
  const kernel = { received: received.filter(has('in')), sent: sent.filter(has('out')) };
  const spi = sentSpi(host, peer, found);
  if (spi === undefined) return { kernel, isUnknown: false };
  const sendsWith = pairOf(host, peer, spi);
  return sendsWith === undefined ? { kernel, isUnknown: true } : { kernel, sendsWith, isUnknown: false };
}

/** The SPI that the policy of the peer names. A policy without an SPI, or of another program, lets nothing of ours pass. */
function sentSpi({ own }: HostView, peer: PeerOfHost, found: FoundIpsec): number | undefined {
  const policy = found.xfrmPolicies.get(policyKey(demand('out', own.address, peer.address)));
  return policy?.action.kind === 'esp' ? policy.action.spi : undefined;
}

/**
 * Which of the SAs that were made has this SPI. If the peer has withdrawn a generation and has made another with the same SPI
 * since, it is the later one: a node does not go back.
 */
function pairOf({ own, stored }: HostView, { keys }: PeerOfHost, spi: number): Pair | undefined {
  const { sent } = stored.keyring.made.get(keys.node) ?? noPairs;
  const same = sent.filter((pair) => spiOf(pair, own.index) === spi);
  return same.reduce<Pair | undefined>(
    (latest, pair) => (latest === undefined || pair.receiver > latest.receiver ? pair : latest),
    undefined,
  );
}
