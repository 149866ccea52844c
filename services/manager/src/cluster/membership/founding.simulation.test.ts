import { unwrap } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import { describe, expect, test } from 'vitest';
import type { StoreMemberStatus } from './membership.ts';
import { planMembership, quorum } from './plan-membership.ts';
import { type FoundManager, planStart } from './plan-start.ts';

/** What etcd keeps on a disk: which member of which cluster it is, and how much of the log it has. */
interface Data {
  readonly cluster: number;
  readonly member: number;
  entries: number;
}

interface Host {
  readonly name: string;
  data: Data | undefined;
  mayFound: boolean;
  runs: boolean;
}

interface Voter {
  readonly id: number;
  readonly host: Host;
}

/** Three hosts whose managers have the same settings, and etcd reduced to its members and its log. */
class World {
  readonly hosts: readonly Host[] = ['m1', 'm2', 'm3'].map((name) => {
    return { name, data: undefined, mayFound: name === 'm1', runs: false };
  });
  /** For each cluster: the voters, as its members have agreed, and the number of acknowledged entries. */
  readonly clusters: { voters: readonly Voter[]; acknowledged: number }[] = [];
  readonly history: string[] = [];
  readonly #cut = new Set<string>();
  #members = 0;

  start(host: Host): void {
    if (host.runs) return;
    const facts = { hasData: host.data !== undefined, mayFound: host.mayFound, dataDir: '/d' };
    const join = this.hosts.filter((other) => other !== host).map(({ name }) => name);
    let step = unwrap(planStart({ ...facts, join }));
    if (step.kind === 'ask') step = unwrap(planStart({ ...facts, join }, this.#answers(host)));
    if (step.kind === 'wait') return;
    if (step.kind === 'found') this.#found(host);
    if (step.kind === 'join' && !this.#join(host, Number(step.urls[0]))) return;
    host.runs = true;
    host.mayFound = false;
  }

  stop(host: Host): void {
    host.runs = false;
  }

  /** Replaces the host's disk. */
  wipe(host: Host): void {
    host.runs = false;
    host.data = undefined;
    host.mayFound = false;
  }

  cut(one: Host, other: Host): void {
    this.#cut.add(`${one.name} ${other.name}`).add(`${other.name} ${one.name}`);
  }

  heal(): void {
    this.#cut.clear();
  }

  /** Writes one more entry if a majority can agree on it. False: there is no majority. */
  write(at: Host): boolean {
    const { data } = at;
    const cluster = data && this.clusters[data.cluster];
    const majority = cluster && this.#majority(at, data.cluster);
    if (cluster === undefined || majority === undefined) return false;
    // The leader has every entry that any member of the majority has. After the write all of them have these entries and
    // the new one.
    const known = Math.max(...majority.map(({ host }) => host.data?.entries ?? 0));
    expect(known, this.history.join('\n')).toBe(cluster.acknowledged);
    cluster.acknowledged = known + 1;
    for (const { host } of majority) if (host.data !== undefined) host.data.entries = known + 1;
    return true;
  }

  #reach(one: Host, other: Host): boolean {
    return one === other || !this.#cut.has(`${one.name} ${other.name}`);
  }

  /** The voters that are up and that this host reaches, if they are a majority. */
  #majority(from: Host, cluster: number): readonly Voter[] | undefined {
    const voters = this.clusters[cluster]?.voters ?? [];
    const up = voters.filter((voter) => isUp(voter) && this.#reach(from, voter.host));
    return up.length >= quorum(voters.length) ? up : undefined;
  }

  #answers(from: Host): readonly FoundManager[] {
    return this.hosts.flatMap((host) => {
      const { data } = host;
      if (host === from || !host.runs || data === undefined || !this.#reach(from, host)) return [];
      const cluster = String(data.cluster);
      return [{ address: host.name, clusterId: cluster, members: [{ name: host.name, clientUrls: [cluster] }] }];
    });
  }

  #found(host: Host): void {
    const member = this.#members++;
    host.data = { cluster: this.clusters.length, member, entries: 0 };
    this.clusters.push({ voters: [{ id: member, host }], acknowledged: 0 });
  }

  /** False: the host cannot join now. */
  #join(host: Host, at: number): boolean {
    const cluster = this.clusters[at];
    if (cluster === undefined) return false;
    let added: number | undefined;
    for (;;) {
      // A majority agrees on the list, and on each change.
      const majority = this.#majority(host, at);
      if (majority === undefined) return false;
      const members = [...cluster.voters.map((voter) => this.#status(voter, host)), ...learner(added, host)];
      const own = { name: host.name, peerUrl: host.name };
      const planned = planMembership(members, {
        kind: 'join',
        ...own,
        ...(added !== undefined && { added: `${added}` }),
      });
      if (!planned.ok) return false;
      const step = planned.value;
      if (step.kind === 'remove') cluster.voters = cluster.voters.filter(({ id }) => `${id}` !== step.id);
      else if (step.kind === 'add') added = this.#members++;
      else if (step.kind === 'wait' || added === undefined) return false;
      else {
        host.data = { cluster: at, member: added, entries: cluster.acknowledged };
        cluster.voters = [...cluster.voters, { id: added, host }];
        return true;
      }
    }
  }

  #status(voter: Voter, from: Host): StoreMemberStatus {
    return status(voter.id, voter.host, isUp(voter) && this.#reach(from, voter.host), false);
  }
}

/** As in etcd: a voter is up only with the log that it wrote as that member. */
function isUp({ id, host }: Voter): boolean {
  return host.runs && host.data?.member === id;
}

function learner(id: number | undefined, host: Host): readonly StoreMemberStatus[] {
  return id === undefined ? [] : [status(id, host, false, true)];
}

function status(id: number, { name }: Host, healthy: boolean, isLearner: boolean): StoreMemberStatus {
  const figures = { leader: false, size: 0, sizeInUse: 0, revision: 0n, lag: 0n, alarms: [] };
  return { id: `${id}`, name, peerUrls: [name], clientUrls: [], learner: isLearner, healthy, ...figures };
}

const seeds = Array.from({ length: 300 }, (_, seed) => seed + 1);

describe('any order of wipes, restarts and partitions', () => {
  test('leads to one cluster, whose voters have all that was acknowledged', () => {
    let replaced = 0;
    let written = 0;
    for (const seed of seeds) {
      const random = new SeededRandom(seed);
      const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random.float() * items.length)] as Item;
      const world = new World();
      for (let i = 0; i < 150; i++) {
        const [one, other] = [pick(world.hosts), pick(world.hosts)];
        const act = pick(['start', 'start', 'start', 'stop', 'wipe', 'cut', 'heal', 'heal', 'write', 'write'] as const);
        // A disk is replaced only while the others have all their data: backups are for losing more than one.
        const intact = world.hosts.filter(({ data }) => data !== undefined).length;
        if (act === 'wipe' && intact < world.hosts.length) continue;
        world.history.push(`seed ${seed}: ${act} ${one.name} ${other.name}`);
        if (act === 'start') world.start(one);
        else if (act === 'stop') world.stop(one);
        else if (act === 'wipe') world.wipe(one);
        else if (act === 'cut') world.cut(one, other);
        else if (act === 'heal') world.heal();
        else if (world.write(one)) written++;
        replaced += act === 'wipe' ? 1 : 0;
        expect(world.clusters.length, world.history.join('\n')).toBeLessThanOrEqual(1);
      }
      world.heal();
      for (let i = 0; i < 6; i++) for (const host of world.hosts) world.start(host);
      expect(
        world.hosts.every((host) => world.write(host)),
        world.history.join('\n'),
      ).toBe(true);
    }
    expect(replaced).toBeGreaterThan(seeds.length);
    expect(written).toBeGreaterThan(10 * seeds.length);
  });

  test('all disks but one lost: no second cluster begins, whichever manager starts', () => {
    const world = new World();
    const [m1, m2, m3] = world.hosts as readonly [Host, Host, Host];
    for (let i = 0; i < 2; i++) for (const host of world.hosts) world.start(host);
    expect(world.write(m1)).toBe(true);
    for (const host of [m1, m2]) world.wipe(host);
    world.stop(m3);
    for (const host of [m1, m2, m3, m1, m2]) world.start(host);
    expect(world.clusters).toHaveLength(1);
    expect(world.hosts.map(({ runs }) => runs)).toEqual([false, false, true]);
    expect(world.write(m3)).toBe(false);
  });
});
