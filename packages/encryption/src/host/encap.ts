import { stateKey, type UdpPorts } from '@causeway/datapath';
import { encapPort } from '@causeway/model';
import { type Pair, spiOf } from '../pair.ts';
import type { FoundIpsec } from './found.ts';
import type { HostView, PeerOfHost } from './host-view.ts';

/** Whether the SA of a pair is ESP in UDP. It follows from the two generations, which never change, so both ends agree. */
export function isEncapsulated({ stored }: HostView, peer: PeerOfHost, direction: 'in' | 'out', pair: Pair): boolean {
  const [own, theirs] = direction === 'in' ? [pair.receiver, pair.sender] : [pair.sender, pair.receiver];
  return (
    stored.keyring.generations.find(({ generation }) => generation === own)?.encapPort !== undefined ||
    announcedPort(peer, theirs) !== undefined
  );
}

/** The ports of the SA of a pair; undefined: it is plain ESP. */
export function portsOf(
  host: HostView,
  peer: PeerOfHost,
  direction: 'in' | 'out',
  pair: Pair,
  found: FoundIpsec,
): UdpPorts | undefined {
  if (!isEncapsulated(host, peer, direction, pair)) return undefined;
  const port = peerPort(host, peer, direction === 'in' ? pair.sender : pair.receiver, found);
  return direction === 'in' ? { sport: port, dport: encapPort } : { sport: encapPort, dport: port };
}

/**
 * The port at which the peer is reached. A NAT may have given the peer another than it has announced, and may change it at any
 * time: the port from which its packets come counts, and after that what the SAs have that are there, so that an agent which has
 * just started keeps it.
 */
function peerPort(host: HostView, peer: PeerOfHost, generation: number, found: FoundIpsec): number {
  const announced = announcedPort(peer, generation);
  const received = receivingStates(host, peer, announced, found);
  const arrived = received.find(({ arrivesFrom }) => arrivesFrom !== undefined)?.arrivesFrom;
  return arrived ?? received.find(({ encap }) => encap !== undefined)?.encap?.sport ?? announced ?? encapPort;
}

/** SAs that are there and receive from the peer, of generations with this announced port; those of the newest first. */
function receivingStates(
  { own, stored }: HostView,
  peer: PeerOfHost,
  announced: number | undefined,
  found: FoundIpsec,
) {
  const { index, generations } = peer.keys;
  const senders = generations.filter(({ encapPort: port }) => port === announced).toReversed();
  const receivers = stored.keyring.generations.toReversed();
  return receivers.flatMap(({ generation: receiver }) =>
    senders.flatMap(({ generation: sender }) => {
      const state = found.xfrmStates.get(stateKey({ dst: own.address, spi: spiOf({ sender, receiver }, index) }));
      return state?.src === peer.address ? [state] : [];
    }),
  );
}

function announcedPort({ keys }: PeerOfHost, wanted: number): number | undefined {
  return keys.generations.find(({ generation }) => generation === wanted)?.encapPort;
}
