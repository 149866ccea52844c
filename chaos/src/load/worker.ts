import { setTimeout as sleep } from 'node:timers/promises';
import { isCausewayError } from '@causeway/model';
import type { Endpoint } from '@causeway/proto/gen/causeway/v1/types.js';
import { milliseconds, type Random } from '@causeway/runtime';
import { now } from '../now.ts';
import { keysOf } from '../record/audit.ts';
import type { Host } from './host.ts';
import type { Entry, Outcome } from './journal.ts';
import { isUnknown, type Managers } from './managers.ts';

export interface WorkerParts {
  readonly managers: Managers;
  readonly host: Host;
  readonly random: Random;
  write(entry: Entry): void;
}

export interface LoadNetwork {
  readonly name: string;
  /** Addresses that all workers ask for, so that they get into each other's way. */
  readonly wanted: readonly string[];
}

export interface WorkerSettings {
  readonly name: string;
  readonly networks: readonly LoadNetwork[];
  /** Between two calls, ms on average. */
  readonly think: number;
}

/** At most so many endpoints at a time. */
const mostHeld = 4;
/** Longer than an election and a new leader of etcd together. */
const patient = milliseconds(15_000);
/** For a caller that gives up early, so that there are calls whose outcome nobody knows. */
const impatient = milliseconds(300);

/** Claims and frees, one call at a time, and writes down what it was told. */
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
    const { managers, host, random } = this.#parts;
    const network = this.#pick(this.#settings.networks);
    if (network === undefined) return;
    const name = `${this.#settings.name}-${this.#count++}`;
    const wish = random.float() < 0.4 ? this.#pick(network.wanted) : undefined;
    await this.#call('claim', name, async () => {
      const endpoint = await managers.claim(
        network.name,
        name,
        host.id,
        wish === undefined ? [] : [wish],
        this.#patience(),
      );
      this.#held.push(endpoint);
      return heldOf(endpoint);
    });
  }

  async #release(): Promise<void> {
    const { managers, host, random } = this.#parts;
    const [endpoint] = this.#held.splice(Math.floor(random.float() * this.#held.length), 1);
    if (endpoint === undefined) return;
    await this.#call('release', endpoint.name, async () => {
      await managers.release(endpoint.id, host.id, this.#patience());
      return heldOf(endpoint);
    });
  }

  async #call(act: Entry['act'], name: string, work: () => Promise<readonly string[]>): Promise<void> {
    const call = now();
    const outcome = await outcomeOf(work);
    this.#parts.write({ act, name, call, end: now(), outcome });
  }

  #patience() {
    return this.#parts.random.float() < 0.05 ? impatient : patient;
  }

  #pick<Item>(items: readonly Item[]): Item | undefined {
    return items[Math.floor(this.#parts.random.float() * items.length)];
  }
}

export async function outcomeOf(work: () => Promise<readonly string[]>): Promise<Outcome> {
  try {
    return { kind: 'done', held: await work() };
  } catch (error) {
    const code = isCausewayError(error) ? error.code : String(error);
    return { kind: isUnknown(error) ? 'unknown' : 'refused', code };
  }
}

/** By the network's id, as the store has it. */
function heldOf({ id, name, networkId, addresses }: Endpoint): readonly string[] {
  return keysOf({ id, name, network: networkId, node: '', addresses });
}
