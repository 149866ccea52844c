import { policyKey, stateKey } from '@causeway/datapath';
import type { Ip, NodeId } from '@causeway/model';
import { type Pair, samePair, spiOf } from '../pair.ts';
import type { HostView, PeerOfHost } from './host-view.ts';
import { Meeting, type OwnEnd } from './meeting.ts';
import { type Demand, demand } from './policies.ts';

/** What follows from the keys and addresses of two hosts for one SA between them, whether or not the SA is there. */
export interface PossibleSa {
  readonly direction: 'in' | 'out';
  readonly pair: Pair;
  readonly src: Ip;
  readonly dst: Ip;
  readonly spi: number;
  /** In `Namespace.xfrmStates`. */
  readonly name: string;
  readonly meeting: Meeting;
}

/** All SAs that this host and a peer may have, by the generations of both. */
export interface PeerSas {
  /** Those of the peer's oldest generation first. */
  readonly received: readonly PossibleSa[];
  /** Those of this host's oldest generation first. */
  readonly sent: readonly PossibleSa[];
  /** What demands any of these SAs of packets from the peer, and to the peer. */
  readonly demandIn: NamedDemand;
  readonly demandOut: NamedDemand;
}

interface NamedDemand {
  /** In `Namespace.xfrmPolicies`. */
  readonly name: string;
  readonly policy: Demand;
}

interface Known extends PeerSas {
  readonly own: OwnEnd;
  readonly peer: PeerOfHost;
  readonly meetings: readonly Meeting[];
}

/**
 * The SAs that a host may have with each of its peers. All are needed whenever the kernel is compared, and their keys take a tenth of
 * a millisecond. So they are made once, and forgotten with the generation or the peer.
 */
export class PossibleSas {
  readonly #peers = new Map<NodeId, Known>();
  #own: { readonly view: Pick<HostView, 'own' | 'stored'>; readonly end: OwnEnd } | undefined;

  of(view: Pick<HostView, 'own' | 'stored'>, peer: PeerOfHost): PeerSas {
    const own = this.#ownEnd(view);
    const before = this.#peers.get(peer.keys.node);
    if (before?.own === own && before.peer.keys === peer.keys && before.peer.address === peer.address) return before;
    const known = sasBetween(own, peer, before);
    this.#peers.set(peer.keys.node, known);
    return known;
  }

  /** Forgets the keys with other nodes. */
  keep(peers: { has(node: NodeId): boolean }): void {
    for (const node of this.#peers.keys()) if (!peers.has(node)) this.#peers.delete(node);
  }

  /** Forgets all keys. */
  clear(): void {
    this.#peers.clear();
    this.#own = undefined;
  }

  /** The same object as long as nothing of it changes. */
  #ownEnd({ own, stored }: Pick<HostView, 'own' | 'stored'>): OwnEnd {
    const before = this.#own;
    if (before?.view.stored === stored && before.view.own === own) return before.end;
    const end = ownEnd(own, stored);
    const isSame = before !== undefined && isSameEnd(before.end, end);
    this.#own = { view: { own, stored }, end: isSame ? before.end : end };
    return this.#own.end;
  }
}

/** The SA of a pair. undefined: one of the generations is not known. */
export function saOf(sas: readonly PossibleSa[], wanted: Pair): PossibleSa | undefined {
  return sas.find(({ pair }) => samePair(pair, wanted));
}

function ownEnd({ cluster, node, index, address }: HostView['own'], { keyring, keys }: HostView['stored']): OwnEnd {
  const generations = keyring.generations.flatMap(({ generation, encapPort }) => {
    const key = keys.get(generation);
    return key === undefined ? [] : [{ generation, encapPort, key }];
  });
  return { cluster, node, index, address, generations };
}

function isSameEnd(a: OwnEnd, b: OwnEnd): boolean {
  const isSame = a.cluster === b.cluster && a.node === b.node && a.index === b.index && a.address === b.address;
  return (
    isSame &&
    a.generations.length === b.generations.length &&
    a.generations.every(({ generation, encapPort, key }, n) => {
      const other = b.generations[n];
      return generation === other?.generation && encapPort === other.encapPort && key === other.key;
    })
  );
}

function sasBetween(own: OwnEnd, peer: PeerOfHost, before: Known | undefined): Known {
  const { keys, address: there } = peer;
  const here = own.address;
  const isBetweenSame = before?.own.address === here && before.peer.address === there;
  const meet = (mine: OwnEnd['generations'][number], theirs: (typeof keys.generations)[number]): Meeting => {
    const meeting = new Meeting(own, mine, keys.node, theirs);
    return before?.meetings.find((each) => each.equals(meeting)) ?? meeting;
  };
  const meetings = own.generations.map((mine) => keys.generations.map((theirs) => meet(mine, theirs)));
  const ofPeer = keys.generations.flatMap((_, n) => meetings.flatMap((each) => each[n] ?? []));
  return {
    ...{ own, peer, meetings: meetings.flat() },
    received: ofPeer.map((meeting) => possibleSa(meeting, 'in', there, here, keys.index)),
    sent: meetings.flat().map((meeting) => possibleSa(meeting, 'out', here, there, own.index)),
    ...(isBetweenSame ? { demandIn: before.demandIn, demandOut: before.demandOut } : demands(here, there)),
  };
}

function possibleSa(meeting: Meeting, direction: 'in' | 'out', src: Ip, dst: Ip, senderIndex: number): PossibleSa {
  const pair = meeting.pair(direction);
  const spi = spiOf(pair, senderIndex);
  return { direction, pair, src, dst, spi, name: stateKey({ dst, spi }), meeting };
}

function demands(here: Ip, there: Ip): Pick<PeerSas, 'demandIn' | 'demandOut'> {
  const [policyIn, policyOut] = [demand('in', there, here), demand('out', here, there)];
  return {
    demandIn: { name: policyKey(policyIn), policy: policyIn },
    demandOut: { name: policyKey(policyOut), policy: policyOut },
  };
}
