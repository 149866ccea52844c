import { setTimeout as sleep } from 'node:timers/promises';
import { isCausewayError } from '@causeway/model';
import type { Endpoint } from '@causeway/proto/gen/causeway/v1/types.js';
import { type Duration, milliseconds, type Random } from '@causeway/runtime';
import { now } from '../now.ts';
import { keysOf } from '../record/records.ts';
import type { Host } from './host.ts';
import type { Asked, Entry, Outcome } from './journal.ts';
import { isUnknown, type Managers } from './managers.ts';

/** Names of networks that come and go. Any worker may claim in them. */
export type Passing = Set<string>;

export interface WorkerParts {
  readonly managers: Managers;
  readonly passing: Passing;
  readonly host: Host;
  readonly random: Random;
  write(entry: Entry): void;
}

export interface LoadNetwork {
  readonly name: string;
  /** Addresses that all workers ask for, so that they compete. */
  readonly requested: readonly string[];
}

export interface WorkerSettings {
  readonly name: string;
  readonly networks: readonly LoadNetwork[];
  /** Time between two calls, ms on average. */
  readonly think: number;
}

/** Most endpoints that a worker holds at a time. */
const mostHeld = 4;
/** Longer than an election of a manager and of an etcd leader together. */
const patient = milliseconds(15_000);
/** For a caller that gives up early, so that there are calls with an unknown outcome. */
const impatient = milliseconds(300);

/** The timeout of a call. */
export function patienceOf(random: Random): Duration {
  return random.float() < 0.05 ? impatient : patient;
}

/** Claims and releases, one call at a time, and records the answers. */
export class Worker {
  readonly #parts: WorkerParts;
  readonly #settings: WorkerSettings;
  readonly #held: Endpoint[] = [];
  #count = 0;

  constructor(parts: WorkerParts, settings: WorkerSettings) {
    this.#parts = parts;
    this.#settings = settings;
  }

  async run(stop: AbortSignal): Promise<void> {
    const { random } = this.#parts;
    while (!stop.aborted) {
      await sleep(random.float() * 2 * this.#settings.think);
      const full = this.#held.length >= mostHeld;
      if (full || (this.#held.length > 0 && random.float() < 0.4)) await this.#release();
      else await this.#claim();
    }
  }

  async #claim(): Promise<void> {
    const { managers, host, random, passing } = this.#parts;
    const brief = random.float() < 0.1 ? this.#pick([...passing]) : undefined;
    const network = brief === undefined ? this.#pick(this.#settings.networks) : { name: brief, requested: [] };
    if (network === undefined) return;
    const name = `${this.#settings.name}-${this.#count++}`;
    const wish = random.float() < 0.4 ? this.#pick(network.requested) : undefined;
    const addresses = wish === undefined ? [] : [wish];
    await this.#call({ act: 'claim', name, asked: { network: network.name, addresses } }, async () => {
      const endpoint = await managers.claim(network.name, name, host.id, addresses, patienceOf(random));
      this.#held.push(endpoint);
      return heldOf(endpoint);
    });
  }

  async #release(): Promise<void> {
    const { managers, host, random } = this.#parts;
    const [endpoint] = this.#held.splice(Math.floor(random.float() * this.#held.length), 1);
    if (endpoint === undefined) return;
    await this.#call({ act: 'release', name: endpoint.name }, async () => {
      await managers.release(endpoint.id, host.id, patienceOf(random));
      return heldOf(endpoint);
    });
  }

  async #call(about: About, work: () => Promise<readonly string[]>): Promise<void> {
    this.#parts.write(await entryOf(about, work));
  }

  #pick<Item>(items: readonly Item[]): Item | undefined {
    return items[Math.floor(this.#parts.random.float() * items.length)];
  }
}

export interface About {
  readonly act: Entry['act'];
  readonly name: string;
  readonly asked?: Asked;
}

/** Makes a call and records its outcome. */
export async function entryOf(about: About, work: () => Promise<readonly string[]>): Promise<Entry> {
  const call = now();
  const outcome = await outcomeOf(work);
  return { ...about, call, end: now(), outcome };
}

async function outcomeOf(work: () => Promise<readonly string[]>): Promise<Outcome> {
  try {
    return { kind: 'done', held: await work() };
  } catch (error) {
    const code = isCausewayError(error) ? error.code : String(error);
    return { kind: isUnknown(error) ? 'unknown' : 'refused', code };
  }
}

/** Names the network by its id, as the store does. */
function heldOf({ networkId, addresses }: Endpoint): readonly string[] {
  return keysOf({ network: networkId, addresses });
}
