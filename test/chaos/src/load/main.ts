import { appendFileSync } from 'node:fs';
import { LabGuest } from '@causeway/lab/io';
import { milliseconds } from '@causeway/runtime';
import { SeededRandom } from '@causeway/runtime/testing';
import { serveLines } from '../companion/serve.ts';
import { type EndpointRecord, keysOf, keysOfNetwork, type NetworkRecord } from '../record/records.ts';
import { Host } from './host.ts';
import type { Entry } from './journal.ts';
import { Managers } from './managers.ts';
import { NetworkWorker } from './network-worker.ts';
import { Reader } from './reader.ts';
import { entryOf, type LoadNetwork, type Passing, Worker } from './worker.ts';

/** A process in the lab with hosts that have sessions, and workers that claim and release for these hosts. */

/** The settings of `begin`. */
export interface LoadSettings {
  /** Host:port of each manager. */
  readonly managers: readonly string[];
  readonly networks: readonly LoadNetwork[];
  readonly workers: number;
  /** Whether networks are made and deleted too. */
  readonly churn: boolean;
  /** Time between two calls of a worker, ms on average. */
  readonly think: number;
  readonly seed: number;
  /** Path of the file in which every call is recorded. */
  readonly journal: string;
  /** Path of the file in which every read is recorded. */
  readonly reads: string;
}

/** The objects that the clean-up must release. */
export interface Left {
  readonly endpoints: readonly EndpointRecord[];
  readonly networks: readonly NetworkRecord[];
}

const hostCount = 4;
/** Number of workers that make networks, and the time between their calls as a multiple of the other workers' time. */
const networkWorkers = { count: 3, think: 8 };
const cleanWithin = milliseconds(30_000);

const stop = new AbortController();
let finished: Promise<unknown> = Promise.resolve();
let settings: LoadSettings | undefined;
/** By the id of the host whose agent calls. */
let managersOf: ReadonlyMap<string, Managers> = new Map();

/** Resolves when the hosts are registered and the workers have begun. */
async function begin(requested: LoadSettings): Promise<void> {
  settings = requested;
  const random = new SeededRandom(requested.seed);
  // Workers of one host share its connections, as containers share their host's agent.
  const guest = new LabGuest();
  const operator = await guest.operator();
  const names = Array.from({ length: hostCount }, (_, i) => `w${i}`);
  const places = (await guest.agents(names)).map(({ id, credentials }, i) => {
    const node = { id, name: `w${i}`, dataPath: `10.255.0.${i + 1}` };
    const host = new Host({ ...node, managers: requested.managers, credentials });
    return { host, managers: new Managers(requested.managers, { agent: credentials, operator }) };
  });
  managersOf = new Map(places.map(({ host, managers }) => [host.id, managers]));
  await Promise.all(places.map(({ host }) => host.start()));
  const passing: Passing = new Set();
  const partsOf = (i: number) => {
    const place = places[i % places.length] as (typeof places)[number];
    return { ...place, passing, random: new SeededRandom(random.float() * 2 ** 32), write };
  };
  const workers = [
    ...Array.from({ length: requested.workers }, (_, i) => new Worker(partsOf(i), { ...requested, name: `w${i}` })),
    ...Array.from({ length: requested.churn ? networkWorkers.count : 0 }, (_, i) => {
      return new NetworkWorker(partsOf(i), { name: `n${i}`, think: requested.think * networkWorkers.think });
    }),
  ];
  const reader = new Reader(requested.managers, operator, new SeededRandom(random.float() * 2 ** 32));
  const reading = reader.run(stop.signal, (read) => appendFileSync(requested.reads, `${JSON.stringify(read)}\n`));
  finished = Promise.all([reading, ...workers.map((worker) => worker.run(stop.signal))]);
}

/** Resolves when no call is under way. */
async function end(): Promise<void> {
  stop.abort();
  await finished;
}

/** Releases all endpoints as their hosts would, and then deletes the networks. */
async function clean({ endpoints, networks }: Left): Promise<void> {
  const [any] = managersOf.values();
  const release = async (record: EndpointRecord): Promise<void> => {
    write(
      await entryOf({ act: 'release', name: record.name }, async () => {
        await managersOf.get(record.node)?.release(record.id, record.node, cleanWithin);
        return keysOf(record);
      }),
    );
  };
  const remove = async (record: NetworkRecord): Promise<void> => {
    write(
      await entryOf({ act: 'delete', name: record.name }, async () => {
        await any?.delete(record.id, cleanWithin);
        return keysOfNetwork(record);
      }),
    );
  };
  await Promise.all(endpoints.map(release));
  await Promise.all(networks.map(remove));
}

function write(entry: Entry): void {
  appendFileSync(settings?.journal ?? '', `${JSON.stringify(entry)}\n`);
}

serveLines({
  begin: (requested) => begin(requested as LoadSettings),
  end,
  clean: (left) => clean(left as Left),
});
