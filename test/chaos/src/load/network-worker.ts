import { setTimeout as sleep } from 'node:timers/promises';
import type { Network } from '@causeway/proto/gen/causeway/v1/types.js';
import type { Random } from '@causeway/runtime';
import { keysOfNetwork } from '../record/records.ts';
import type { Entry } from './journal.ts';
import type { Managers, NetworkWish } from './managers.ts';
import { entryOf, type Passing, patienceOf } from './worker.ts';

export interface NetworkWorkerParts {
  readonly managers: Managers;
  readonly passing: Passing;
  readonly random: Random;
  write(entry: Entry): void;
}

export interface NetworkWorkerSettings {
  readonly name: string;
  /** Time between two calls, ms on average. */
  readonly think: number;
}

/** All workers ask for these, so that they compete: a wide subnet, parts of it, and a few VNIs. */
const wishes: readonly NetworkWish[] = [
  { subnets: ['10.80.0.0/16'] },
  { subnets: ['10.80.1.0/24'] },
  { subnets: ['10.80.2.0/24', 'fd80:2::/64'] },
  { subnets: ['10.81.0.0/24'], vni: 301 },
  { subnets: ['10.82.0.0/24'], vni: 301 },
  { vni: 302 },
];
/** Most networks that a worker holds at a time. */
const mostHeld = 2;

/** Makes and deletes networks, one call at a time, while other workers claim in them. */
export class NetworkWorker {
  readonly #parts: NetworkWorkerParts;
  readonly #settings: NetworkWorkerSettings;
  readonly #held: Network[] = [];
  #count = 0;

  constructor(parts: NetworkWorkerParts, settings: NetworkWorkerSettings) {
    this.#parts = parts;
    this.#settings = settings;
  }

  async run(stop: AbortSignal): Promise<void> {
    const { random } = this.#parts;
    while (!stop.aborted) {
      await sleep(random.float() * 2 * this.#settings.think);
      if (this.#held.length < mostHeld && random.float() < 0.6) await this.#create();
      else await this.#delete();
    }
  }

  async #create(): Promise<void> {
    const { managers, passing, random, write } = this.#parts;
    const name = `${this.#settings.name}-${this.#count++}`;
    const wish = random.float() < 0.6 ? (wishes[Math.floor(random.float() * wishes.length)] ?? {}) : {};
    write(
      await entryOf({ act: 'create', name, asked: wish }, async () => {
        const network = await managers.create(name, wish, patienceOf(random));
        this.#held.push(network);
        passing.add(name);
        return keysOfNetwork(network);
      }),
    );
  }

  async #delete(): Promise<void> {
    const { managers, passing, random, write } = this.#parts;
    const network = this.#held[Math.floor(random.float() * this.#held.length)];
    if (network === undefined) return;
    const entry = await entryOf({ act: 'delete', name: network.name }, async () => {
      await managers.delete(network.id, patienceOf(random));
      return keysOfNetwork(network);
    });
    write(entry);
    // The deletion of a network in use is tried again. If a deletion had no answer, the clean-up removes the network.
    if (entry.outcome.kind === 'refused' && entry.outcome.code === 'network-in-use') return;
    passing.delete(network.name);
    this.#held.splice(this.#held.indexOf(network), 1);
  }
}
