import { appendFileSync } from 'node:fs';
import { milliseconds, randomId } from '@causeway/runtime';
import { cryptoRandom } from '@causeway/runtime/io';
import { SeededRandom } from '@causeway/runtime/testing';
import { serveLines } from '../companion/serve.ts';
import { now } from '../now.ts';
import { type EndpointRecord, keysOf } from '../record/audit.ts';
import { Host } from './host.ts';
import type { Entry } from './journal.ts';
import { Managers } from './managers.ts';
import { type LoadNetwork, outcomeOf, Worker } from './worker.ts';

/** A process inside the lab: hosts with sessions, and workers that claim and free on their behalf. */

/** What `begin` is told. */
export interface LoadSettings {
  /** Host:port of each. */
  readonly managers: readonly string[];
  readonly networks: readonly LoadNetwork[];
  readonly workers: number;
  /** Between two calls of a worker, ms on average. */
  readonly think: number;
  readonly seed: number;
  /** Path of the file that every call is written to. */
  readonly journal: string;
}

const hostCount = 4;
const cleanWithin = milliseconds(30_000);

const stop = new AbortController();
let finished: Promise<unknown> = Promise.resolve();
let settings: LoadSettings | undefined;

/** Resolves when the hosts are registered and the workers at work. */
async function begin(told: LoadSettings): Promise<void> {
  settings = told;
  const random = new SeededRandom(told.seed);
  // Workers of one host share its connections, as containers of a host share its agent.
  const places = Array.from({ length: hostCount }, (_, i) => {
    const id = randomId(cryptoRandom);
    const host = new Host({ id, name: `w${i}`, dataPath: `10.255.0.${i + 1}`, managers: told.managers });
    return { host, managers: new Managers(told.managers) };
  });
  await Promise.all(places.map(({ host }) => host.start()));
  const workers = Array.from({ length: told.workers }, (_, i) => {
    const place = places[i % places.length] as (typeof places)[number];
    const parts = { ...place, random: new SeededRandom(random.float() * 2 ** 32), write };
    return new Worker(parts, { ...told, name: `w${i}` });
  });
  finished = Promise.all(workers.map((worker) => worker.run(stop.signal)));
}

/** Resolves when no call is under way any more. */
async function end(): Promise<void> {
  stop.abort();
  await finished;
}

/** Releases what is left, as their hosts would. */
async function clean(endpoints: readonly EndpointRecord[]): Promise<void> {
  const managers = new Managers(settings?.managers ?? []);
  const release = async (record: EndpointRecord): Promise<void> => {
    const call = now();
    const outcome = await outcomeOf(async () => {
      await managers.release(record.id, record.node, cleanWithin);
      return keysOf(record);
    });
    write({ act: 'release', name: record.name, call, end: now(), outcome });
  };
  await Promise.all(endpoints.map(release));
}

function write(entry: Entry): void {
  appendFileSync(settings?.journal ?? '', `${JSON.stringify(entry)}\n`);
}

serveLines({
  begin: (told) => begin(told as LoadSettings),
  end,
  clean: (endpoints) => clean(endpoints as readonly EndpointRecord[]),
});
