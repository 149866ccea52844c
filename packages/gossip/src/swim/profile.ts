/** All spans are in milliseconds. */
export interface Profile {
  /** One node is probed per interval. Lower: failures are found sooner, for more packets. */
  readonly probeInterval: number;
  /** How long a direct ack may take before other nodes are asked. Set it to the 99th percentile of the round trip, or more. */
  readonly probeTimeout: number;
  /** When a ping is sent until its ack comes, in milliseconds from the start of the probe: one that is lost costs nothing then. */
  readonly pingTimes: readonly number[];
  /** How many nodes are asked to ping a node that did not answer. */
  readonly indirectChecks: number;
  /** Whether a node that did not answer is also pinged by TCP: it tells a firewall that drops UDP from a dead node. */
  readonly tcpPings: boolean;
  /** When, from the start of the probe. */
  readonly tcpPingAfter: number;
  /**
   * Four probes of five go to so many nodes that follow on a ring of all nodes, so that every node is probed about once per
   * interval; 0: all probes go round in random order, as in memberlist.
   */
  readonly watched: number;
  /** A suspected node is dead after at least `suspicionMult * log10(nodes) * probeInterval` … */
  readonly suspicionMult: number;
  /** … and at most so many times that, unless others suspect it too. */
  readonly suspicionMaxMult: number;
  /**
   * So many nodes look for themselves when they hear of a suspicion. If three fifths of them agree, the suspicion ends after
   * `hold`, or after `refusedHold` if the process refuses connections twice. 0: none do, as in memberlist.
   */
  readonly observers: number;
  readonly hold: number;
  readonly refusedHold: number;
  /** The score of this node's own health stays below it; a node in bad health probes more slowly. */
  readonly awarenessMax: number;
  /** News is sent to `gossipNodes` random nodes per interval. */
  readonly gossipInterval: number;
  readonly gossipNodes: number;
  /** News is sent once as soon as there is some, but at most once per so many milliseconds; 0: it waits for the interval. */
  readonly eagerGossip: number;
  /** A message is sent `retransmitMult * ceil(log10(nodes + 1))` times. */
  readonly retransmitMult: number;
  /** A dead node still gets news, so that it can refute, and is still known, for so long. */
  readonly gossipToTheDead: number;
  /** The name of a dead node may be taken by another address after so long; 0: never, until the node is forgotten. */
  readonly deadNodeReclaim: number;
  /** A node exchanges all it knows with a random node per interval, which is stretched in clusters of more than 32 nodes. */
  readonly pushPullInterval: number;
  /** Each side of a cluster that was cut apart tries about so often to reach a node that it lost; 0: never. */
  readonly rejoinInterval: number;
  /** A stream has to be done after so long. */
  readonly streamTimeout: number;
  /** Bytes of UDP payload: a larger packet may be fragmented or lost. */
  readonly packetSize: number;
}

/** memberlist's DefaultLANConfig. What memberlist does not have is off, but for what repairs: `rejoinInterval`. */
export const lan: Profile = {
  probeInterval: 1000,
  probeTimeout: 500,
  pingTimes: [0],
  indirectChecks: 3,
  tcpPings: true,
  tcpPingAfter: 500,
  watched: 0,
  suspicionMult: 4,
  suspicionMaxMult: 6,
  observers: 0,
  hold: 0,
  refusedHold: 0,
  awarenessMax: 8,
  gossipInterval: 200,
  gossipNodes: 3,
  eagerGossip: 0,
  retransmitMult: 4,
  gossipToTheDead: 30_000,
  deadNodeReclaim: 0,
  pushPullInterval: 30_000,
  rejoinInterval: 1000,
  streamTimeout: 10_000,
  packetSize: 1400,
};

/** memberlist's DefaultWANConfig. */
export const wan: Profile = {
  ...lan,
  probeInterval: 5000,
  probeTimeout: 3000,
  tcpPingAfter: 3000,
  suspicionMult: 6,
  gossipInterval: 500,
  gossipNodes: 4,
  gossipToTheDead: 60_000,
  pushPullInterval: 60_000,
  streamTimeout: 30_000,
};

/** memberlist's DefaultLocalConfig: all nodes on one machine. */
export const local: Profile = {
  ...lan,
  probeTimeout: 200,
  tcpPingAfter: 200,
  indirectChecks: 1,
  suspicionMult: 3,
  gossipInterval: 100,
  retransmitMult: 2,
  gossipToTheDead: 15_000,
  pushPullInterval: 15_000,
  streamTimeout: 1000,
};

/**
 * For hosts near each other that want news in milliseconds and deaths in seconds, for more packets: about 5 a second at rest.
 * Nodes of memberlist may be in the cluster; they are judged with `lan`'s times.
 */
export const fast: Profile = {
  ...lan,
  probeInterval: 500,
  probeTimeout: 250,
  pingTimes: [0, 60, 120],
  tcpPingAfter: 60,
  watched: 2,
  observers: 8,
  hold: 1000,
  // A process that starts again has so long to open its port.
  refusedHold: 300,
  eagerGossip: 10,
  deadNodeReclaim: 30_000,
};

export const profiles = { lan, wan, local, fast } as const;

/** How often each message is sent in a cluster of so many nodes. */
export function transmitLimit(retransmitMult: number, nodes: number): number {
  return retransmitMult * Math.ceil(Math.log10(nodes + 1));
}

/** How long a node waits from one exchange to the next: up to 32 nodes one interval, up to 64 two, up to 128 three. */
export function pushPullDelay(interval: number, nodes: number): number {
  return nodes <= 32 ? interval : interval * (Math.ceil(Math.log2(nodes) - 5) + 1);
}
