import type { UdpPorts } from '@causeway/datapath';
import { encapPort } from '@causeway/model';
import type { FoundIpsec } from './found.ts';
import type { PeerSas, PossibleSa } from './possible-sas.ts';

/** The ports of an SA; undefined: it is plain ESP. */
export function portsOf(sa: PossibleSa, sas: PeerSas, found: FoundIpsec): UdpPorts | undefined {
  if (!sa.meeting.isEncapsulated) return undefined;
  const port = peerPort(sa, sas, found);
  return sa.direction === 'in' ? { sport: port, dport: encapPort } : { sport: encapPort, dport: port };
}

/**
 * The port at which the peer is reached. A NAT may have given the peer another than it has announced, and may change it at any
 * time: the port from which its packets come counts, and after that what the SAs have that are there, so that an agent which has
 * just started keeps it. Of SAs with generations that have the same announced port, the newest counts.
 */
function peerPort({ meeting: { announcedPort } }: PossibleSa, { received }: PeerSas, found: FoundIpsec): number {
  const there = newestFirst(received.filter(({ meeting }) => meeting.announcedPort === announcedPort)).flatMap(
    ({ name, src }) => {
      const state = found.xfrmStates.get(name);
      return state?.src === src ? [state] : [];
    },
  );
  const arrived = there.find(({ arrivesFrom }) => arrivesFrom !== undefined)?.arrivesFrom;
  return arrived ?? there.find(({ encap }) => encap !== undefined)?.encap?.sport ?? announcedPort ?? encapPort;
}

/** By the generation of this host, and then by that of the peer. */
function newestFirst(sas: readonly PossibleSa[]): readonly PossibleSa[] {
  return sas.toSorted((a, b) => b.pair.receiver - a.pair.receiver || b.pair.sender - a.pair.sender);
}
