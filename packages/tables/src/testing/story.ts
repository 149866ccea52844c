import type { NetworkId } from '@causeway/model';
import type { RowChange } from '../wire/row.ts';
import { Hostile } from './hostile.ts';
import { idOf, network, nodeOf, otherNetwork, put } from './rows.ts';
import { type ClusterOptions, SimCluster } from './simulated-cluster.ts';

/** The agents of a story. The last is not there: gossip lists it, and its process is dead. */
const agents = [1, 2, 3, 4].map(nodeOf);
const dead = nodeOf(7);
export const hostile = nodeOf(8);
const networks: readonly NetworkId[] = [network, otherNetwork];

/**
 * Two seconds in which rows come, change and go, the leader changes, and the network, the processes and one member do their
 * worst. Then the faults end; the member does not stop. Everything follows from the seed.
 */
export function troubled(seed: number, options: Partial<ClusterOptions> = {}): SimCluster {
  const cluster = new SimCluster({ seed, agents, networks, ...options });
  const { network: net } = cluster;
  cluster.listed.push({ name: dead, isManager: false, isSuspect: false });
  const member = new Hostile(cluster, hostile, network);
  net.loss = 0.3 * net.random.float();
  net.duplication = 0.2 * net.random.float();
  net.delay = [0.3, net.random.float() < 0.5 ? 1 : 60];
  const below = (count: number): number => Math.floor(net.random.float() * count);
  const until = net.now + 2_000;
  while (net.now < until) {
    net.run(5 + below(150));
    act(cluster, below);
  }
  net.loss = net.duplication = 0;
  net.delay = [0.3, 1];
  net.reaches = () => true;
  for (const host of cluster.hosts.values()) if (!host.isUp) host.restart();
  member.isUp = true;
  for (const each of networks) cluster.publish(each, `m${1 + below(2)}`);
  return cluster;
}

function act(cluster: SimCluster, below: (count: number) => number): void {
  const { network: net } = cluster;
  const manager = ['m1', 'm2'].find((name) => cluster.host(name).isUp) ?? 'm1';
  const leader = below(4) === 0 && cluster.host('m2').isUp ? 'm2' : manager;
  switch (below(10)) {
    case 0: {
      // A partition of any shape, or its end.
      const side = new Map([...cluster.hosts.keys(), hostile].map((name) => [name, below(3)]));
      net.reaches = below(2) === 0 ? () => true : (from, to) => side.get(from) === side.get(to);
      return;
    }
    case 1: {
      // One direction of one link.
      const [a, b] = [below(6), below(6)].map((index) => [...cluster.hosts.keys()][index]);
      net.reaches = (from, to) => !(from === a && to === b);
      return;
    }
    case 2: {
      const host = [...cluster.hosts.values()][below(6)];
      if (host?.isUp === true && below(2) === 0) host.isUp = false;
      else host?.restart();
      return;
    }
    case 3:
      restored(cluster, below);
      return;
    default:
      if (!cluster.host(leader).isUp) return;
      cluster.change(networks[below(2)] ?? network, changes(cluster, below), leader);
  }
}

/** Sometimes more rows than fit a batch. */
function changes(cluster: SimCluster, below: (count: number) => number): readonly RowChange[] {
  const revision = cluster.truth.revision + 1n;
  const count = below(5) === 0 ? 60 : 1 + below(3);
  return Array.from({ length: count }, () => {
    const number = below(120);
    if (below(3) === 0) return { type: 'removed', id: idOf(number) } as const;
    const node = [...agents, dead, hostile][below(6)] ?? dead;
    return put(number, { node, revision, state: below(4) === 0 ? 'suspended' : 'active' });
  });
}

/** The store is restored from a backup: a new epoch, at an older revision, with some of the rows. Managers start again. */
function restored(cluster: SimCluster, below: (count: number) => number): void {
  if (below(4) !== 0) return;
  const { truth } = cluster;
  truth.epoch++;
  truth.revision -= BigInt(below(5));
  for (const [each, live] of truth.live) {
    const gone = [...live.rows()].filter(() => below(6) === 0);
    truth.live.set(each, live.with(gone.map(({ row }) => ({ type: 'removed', id: row.id }) as const)));
  }
  for (const host of cluster.hosts.values()) if (host.isManager && host.isUp) host.restart();
}
