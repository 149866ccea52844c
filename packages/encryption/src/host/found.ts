import { type Namespace, ourReqid, type XfrmState } from '@causeway/datapath';
import { type Pair, spiOf } from '../pair.ts';
import { noPairs, type PairLists } from '../protocol/view.ts';
import type { HostView, PeerOfHost } from './host-view.ts';
import type { PeerSas, PossibleSa } from './possible-sas.ts';

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
export function foundPeer(
  host: Pick<HostView, 'own' | 'stored' | 'sas'>,
  peer: PeerOfHost,
  found: FoundIpsec,
): FoundPeer {
  const sas = host.sas.of(host, peer);
  const kernel = { received: pairsThere(sas.received, found), sent: pairsThere(sas.sent, found) };
  const spi = sentSpi(sas, found);
  if (spi === undefined) return { kernel, isUnknown: false };
  const sendsWith = pairOf(host, peer, spi);
  return sendsWith === undefined ? { kernel, isUnknown: true } : { kernel, sendsWith, isUnknown: false };
}

/** Whether what the kernel has is this SA, as it is made. The ports of ESP in UDP may differ. */
export function isAsMade(sa: PossibleSa, state: XfrmState): boolean {
  const { src, direction, meeting } = sa;
  if (state.src !== src || !state.isStrict || state.reqid !== ourReqid) return false;
  if (state.direction !== direction && state.direction !== 'unknown') return false;
  if ((state.encap !== undefined) !== meeting.isEncapsulated) return false;
  const key = meeting.saKey(direction);
  return key !== undefined && state.key.equals(key);
}

function pairsThere(sas: readonly PossibleSa[], { xfrmStates }: FoundIpsec): readonly Pair[] {
  const pairs: Pair[] = [];
  for (const sa of sas) {
    const state = xfrmStates.get(sa.name);
    if (state !== undefined && isAsMade(sa, state)) pairs.push(sa.pair);
  }
  return pairs;
}

/** The SPI that the policy of the peer names. A policy without an SPI, or of another program, lets nothing of ours pass. */
function sentSpi({ demandOut }: PeerSas, found: FoundIpsec): number | undefined {
  const policy = found.xfrmPolicies.get(demandOut.name);
  return policy?.action.kind === 'esp' ? policy.action.spi : undefined;
}

/**
 * Which of the SAs that were made has this SPI. If the peer has withdrawn a generation and has made another with the same SPI
 * since, it is the later one: a node does not go back.
 */
function pairOf(
  { own, stored }: Pick<HostView, 'own' | 'stored'>,
  { keys }: PeerOfHost,
  spi: number,
): Pair | undefined {
  const { sent } = stored.keyring.made.get(keys.node) ?? noPairs;
  const same = sent.filter((pair) => spiOf(pair, own.index) === spi);
  return same.reduce<Pair | undefined>(
    (latest, pair) => (latest === undefined || pair.receiver > latest.receiver ? pair : latest),
    undefined,
  );
}
