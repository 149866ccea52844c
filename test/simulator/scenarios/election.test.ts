import type { Store } from '@causeway/manager';
import { type CoreManager, createKeys, records, registerNode, type StoreEvent } from '@causeway/manager/testing';
import { type Ip, isCausewayError, type Name, type Node, type NodeId } from '@causeway/model';
import { milliseconds, seconds } from '@causeway/runtime';
import { describe, expect, test } from 'vitest';
import { FaultyCluster } from '../src/faulty-cluster.ts';
import { seedBatches } from './seeds.ts';

const ttl = seconds(1);
/** MemoryStore's default: how long a caller waits for an answer that does not come. */
const lostCall = seconds(5);
const keys = createKeys();

describe('whatever befalls managers, one leads', () => {
  test.each(seedBatches(100))('%s', async (_, seeds) => {
    let elections = 0;
    let acknowledged = 0;
    let mistaken = 0;
    for (const seed of seeds) {
      const run = await elect(seed);
      expect(run.faults, `seed ${seed}`).toEqual([]);
      elections += run.elections;
      acknowledged += run.acknowledged;
      mistaken += run.mistaken;
    }
    if (seeds.length === 1) return;
    // A run in which no manager fails, or none writes, proves nothing.
    expect(elections).toBeGreaterThan(seeds.length * 1.5);
    expect(acknowledged).toBeGreaterThan(seeds.length * 10);
    expect(mistaken).toBeGreaterThan(0);
  });
});

interface Believed {
  readonly manager: CoreManager;
  readonly term: bigint;
}

interface Outcome {
  readonly faults: readonly string[];
  readonly elections: number;
  readonly acknowledged: number;
  /** How often another manager was elected while the leader was alive and did not know that it had been taken for gone. */
  readonly mistaken: number;
}

/** Runs three managers for some seconds. Each manager writes its term all the time while it believes that it leads. */
async function elect(seed: number): Promise<Outcome> {
  const cluster = new FaultyCluster({ seed, managers: 3, ttl });
  const faults: string[] = [];
  const terms: bigint[] = [];
  let acknowledged = 0;
  let mistaken = 0;
  let leading: Believed[] = [];
  /** A leader whose term another manager has ended may not go on longer than it may without an answer of the store. */
  const stepsDown = async (other: Believed): Promise<void> => {
    mistaken++;
    const deadline = cluster.clock.now() + (ttl * 2) / 3;
    while (leading.includes(other) && cluster.clock.now() <= deadline) {
      if (cluster.isPaused(other.manager)) return;
      await cluster.clock.sleep(milliseconds(5));
    }
    if (leading.includes(other)) faults.push(`${other.manager.name} believes in term ${other.term}, which was ended`);
  };
  for (const manager of cluster.managers) {
    manager.elector.subscribe((leadership) => {
      leading = leading.filter((one) => one.manager !== manager);
      if (leadership.role !== 'leader') return;
      for (const other of leading) {
        if (cluster.isPaused(other.manager)) continue;
        if (cluster.wasEnded(other.term)) void stepsDown(other);
        else faults.push(`${manager.name} leads in term ${leadership.term}, ${other.manager.name} in ${other.term}`);
      }
      const before = terms.at(-1);
      if (before !== undefined && leadership.term <= before) faults.push(`term ${leadership.term} after ${before}`);
      terms.push(leadership.term);
      leading.push({ manager, term: leadership.term });
    });
  }
  const fence = new FenceWatch();
  const watching = fence.run(cluster.observer(), cluster.ended);
  await cluster.start();
  const write = async (manager: CoreManager, i: number): Promise<void> => {
    for (let count = 0; !cluster.calm; count++) {
      await cluster.clock.sleep(milliseconds(cluster.random.float() * 50));
      const { leadership } = manager.elector;
      if (leadership.role !== 'leader') continue;
      try {
        await manager.writer.apply(registerNode(node(i, leadership.term, count)), { cause: 'test' });
        acknowledged++;
      } catch (error) {
        if (!isCausewayError(error) || error.kind !== 'unavailable') throw error;
      }
    }
  };
  await cluster.runWithFaults(seconds(6), ...cluster.managers.map((manager, i) => () => write(manager, i)));

  // A lease may have just begun, and every manager may wait for a lost answer. After that time exactly one manager must
  // lead.
  await cluster.clock.advance(milliseconds(ttl + lostCall + 1_000));
  if (cluster.leaders.length !== 1) faults.push(`${cluster.leaders.length} lead when all is well`);
  await cluster.stop();
  await watching;
  faults.push(...fence.faults, ...cluster.auditor.faults);
  return { faults, elections: terms.length, acknowledged, mistaken };
}

/** The record contains the term that wrote it. */
function node(i: number, term: bigint, count: number): Node {
  const id = `00000000000000a${i}` as NodeId;
  return { id, name: `h${i}` as Name, dataPath: '192.0.2.1' as Ip, underlayMtu: 1500, version: `${term}.${count}` };
}

/** Checks at every revision: a record of a term is written only while the leader key belongs to that term. */
class FenceWatch {
  readonly faults: string[] = [];
  #term: bigint | undefined;

  async run(store: Pick<Store, 'follow'>, end: AbortSignal): Promise<void> {
    for await (const change of store.follow(keys.prefix, end)) {
      if (change.kind === 'snapshot') {
        this.#term = change.kvs.find(({ key }) => key === keys.leader)?.createRevision;
      } else if (change.kind === 'events') {
        for (const event of change.events) this.#take(event);
      }
    }
  }

  #take(event: StoreEvent): void {
    const key = event.kind === 'put' ? event.kv.key : event.key;
    if (key === keys.leader) this.#term = event.kind === 'put' ? event.kv.createRevision : undefined;
    if (event.kind !== 'put' || !key.startsWith(keys.node('' as NodeId))) return;
    const record = records.node.codec.decode(event.kv.value);
    const term = record.ok ? record.value.value.version.split('.')[0] : 'unreadable';
    if (term !== `${this.#term}`)
      this.faults.push(`revision ${event.kv.modRevision}: term ${term} wrote in ${this.#term}`);
  }
}
