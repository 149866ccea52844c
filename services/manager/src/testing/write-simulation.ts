import {
  CausewayError,
  type Endpoint,
  type EndpointId,
  type ErrorCode,
  type Ip,
  isCausewayError,
  type Name,
  type Network,
  type Node,
  type NodeId,
  nthAddress,
  Prefix,
  type RequestId,
} from '@causeway/model';
import { Failover } from '@causeway/proto';
import { type Duration, milliseconds, randomUuid, seconds } from '@causeway/runtime';
import { FakeClock, MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import type { Committed } from '../commit/outcomes.ts';
import { claimEndpoint } from '../plan/claim-endpoint.ts';
import { createNetwork } from '../plan/create-network.ts';
import { deleteNetwork } from '../plan/delete-network.ts';
import type { Request } from '../plan/intent.ts';
import { registerNode } from '../plan/register-node.ts';
import { releaseEndpoint } from '../plan/release-endpoint.ts';
import { createKeys } from '../store/keys.ts';
import { type MemoryFault, MemoryStore } from '../store/memory.ts';
import { MemoryBackend } from '../store/memory-backend.ts';
import { CoreManager, cooldown } from './core-manager.ts';
import { EventReader } from './event-reader.ts';
import { InvariantChecker } from './invariant-checker.ts';
import { MemoryPorts } from './memory-ports.ts';
import { plainNetwork } from './plain-network.ts';

const keys = createKeys();
const ttl = seconds(3);
const managerNames = ['m1', 'm2', 'm3'];
const host: Node = {
  id: '00000000000000a1' as NodeId,
  name: 'h1' as Name,
  dataPath: '192.0.2.1' as Ip,
  underlayMtu: 1500,
  version: '0.1.0',
};

/** Small and overlapping, so that workers compete all the time. */
const prefixes = ['10.0.0.0/28', '10.0.0.0/29', '10.0.0.8/29', '10.1.0.0/29', '10.1.0.0/28'].map(Prefix);
const networkNames = ['red', 'green', 'blue', 'grey'] as Name[];

/** Refusals that contention explains. */
const expected: readonly ErrorCode[] = [
  'name-taken',
  'subnet-overlap',
  'address-in-use',
  'address-reserved',
  'address-outside',
  'address-exhausted',
  'network-unknown',
  'network-in-use',
  'endpoint-unknown',
];

/**
 * Three managers on one store. Workers create and delete things through the manager that leads, and repeat each request
 * under the same request id until it is answered. Meanwhile requests and replies are lost; managers are paused, stopped
 * and killed; a running manager seems gone to the others; the store is frozen and compacted. All of this follows from the
 * seed.
 */
export class WriteSimulation {
  readonly #random: SeededRandom;
  readonly #clock = new FakeClock();
  readonly #backend = new MemoryBackend({ clock: this.#clock });
  readonly #ports = new MemoryPorts({ clock: this.#clock });
  readonly #managers = new Map<string, CoreManager>();
  readonly #auditor = new InvariantChecker();
  /** What exists according to the answers that callers got. */
  readonly #networks = new Map<string, Network>();
  readonly #endpoints = new Map<EndpointId, Endpoint>();
  readonly #answers = new Map<string, number>();
  readonly #faults: string[] = [];
  #calm = true;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  /** Returns how often each answer was given. Throws an error that lists all that did not hold. */
  async run(span: Duration, workers: number): Promise<ReadonlyMap<string, number>> {
    for (const name of managerNames) await this.#clock.until(this.#start(name), seconds(10));
    const watching = this.#auditor.run(new MemoryStore({ clock: this.#clock, backend: this.#backend }));
    await this.#clock.advance(seconds(1));
    const leader = [...this.#managers.values()].find(({ leads }) => leads);
    if (leader === undefined) throw new Error('no manager was elected');
    await this.#clock.until(leader.writer.apply(registerNode(host), { cause: 'set-up' }), seconds(10));

    const chronicle = new EventReader([this.#store(), this.#store()], {
      keys,
      clock: this.#clock,
      random: this.#random,
    });
    const reading = chronicle.run();
    this.#calm = false;
    const all = [this.#disturb(), ...Array.from({ length: workers }, () => this.#worker())];
    await this.#clock.advance(span);
    this.#calm = true;
    await this.#clock.until(Promise.all(all), seconds(600));
    // Time for an election, and for what was freed last to be given up: a VNI takes the whole cooldown.
    await this.#clock.advance(milliseconds(seconds(20) + cooldown));
    for (const manager of this.#managers.values()) await this.#clock.until(manager.stop(), seconds(120));
    await this.#clock.advance(seconds(1));
    this.#auditor.stop();
    await watching;
    this.#compare();
    const records = this.#backend.history.list(keys.events);
    const missed = chronicle.close(records, this.#auditor.everEndpoints);
    this.#faults.push(...(await this.#clock.until(missed, seconds(60))));
    await this.#clock.until(reading, seconds(60));
    this.#backend.close();
    if (this.#faults.length > 0) throw new Error(this.#faults.slice(0, 10).join('\n'));
    return this.#answers;
  }

  #compare(): void {
    const { endpoints, networks, faults } = this.#auditor;
    this.#faults.push(...faults, ...InvariantChecker.leaks(this.#backend.history.list(keys.prefix)));
    compareSets('endpoint', this.#endpoints, endpoints, this.#faults);
    compareSets('network', this.#networks, networks, this.#faults);
  }

  async #start(name: string): Promise<void> {
    const random = new SeededRandom(Math.floor(this.#random.float() * 2 ** 32));
    const parts = { clock: this.#clock, backend: this.#backend, dialer: this.#ports, random, log: new MemoryLog() };
    const manager = new CoreManager(parts, { name, ttl });
    manager.store.fault = () => this.#fault();
    manager.late = () => (!this.#calm && this.#chance(0.02) ? milliseconds(this.#random.float() * 15_000) : undefined);
    manager.store.latency = () => milliseconds(this.#random.float() * (this.#chance(0.02) ? 500 : 10));
    this.#managers.set(name, manager);
    this.#ports.listen(name, () => manager.leads);
    await manager.start();
  }

  /** A connection to the store for the event reader: slow, and sometimes without an answer. */
  #store(): MemoryStore {
    const store = new MemoryStore({ clock: this.#clock, backend: this.#backend });
    store.fault = () => this.#fault();
    store.latency = () => milliseconds(this.#random.float() * 10);
    return store;
  }

  #fault(): MemoryFault {
    if (this.#calm) return 'none';
    const draw = this.#random.float();
    if (draw < 0.02) return 'lost-reply';
    if (draw < 0.03) return 'lost-request';
    return draw < 0.04 ? 'refused' : 'none';
  }

  /** Every few seconds something happens to a manager or to the store. */
  async #disturb(): Promise<void> {
    while (!this.#calm) {
      await this.#clock.sleep(milliseconds(this.#random.float() * 2_000));
      const manager = this.#pick([...this.#managers.values()]);
      if (manager === undefined) return;
      const act = Math.floor(this.#random.float() * 8);
      if (act === 0)
        await this.#during(
          () => manager.pause(),
          () => manager.resume(),
        );
      if (act === 1)
        await this.#during(
          () => manager.store.setReachable(false),
          () => manager.store.setReachable(true),
        );
      if (act === 2)
        await this.#during(
          () => this.#backend.freeze(),
          () => this.#backend.unfreeze(),
        );
      if (act === 3) manager.store.cut();
      if (act === 4) {
        this.#backend.compact();
        manager.store.cut();
      }
      if (act === 5) {
        await manager.stop();
        await this.#start(manager.name);
      }
      // To the other managers its process seems gone, although it runs.
      if (act === 6)
        await this.#during(
          () => this.#ports.close(manager.name),
          () => this.#ports.listen(manager.name, () => manager.leads),
        );
      // `kill -9`: what the process has sent still arrives, and a new process takes its place.
      if (act === 7) {
        manager.pause();
        this.#ports.close(manager.name);
        await this.#clock.sleep(milliseconds(this.#random.float() * 1_000));
        await this.#start(manager.name);
      }
    }
  }

  async #during(begin: () => void, end: () => void): Promise<void> {
    begin();
    await this.#clock.sleep(milliseconds(this.#random.float() * 2 * ttl));
    end();
  }

  async #worker(): Promise<void> {
    while (!this.#calm) {
      const draw = this.#random.float();
      if (draw < 0.1) await this.#createNetwork();
      else if (draw < 0.15) await this.#deleteNetwork();
      else if (draw < 0.6) await this.#claim();
      else await this.#release();
      await this.#clock.sleep(milliseconds(this.#random.float() * 50));
    }
  }

  async #createNetwork(): Promise<void> {
    const name = this.#pick(networkNames);
    const prefix = this.#pick(prefixes);
    if (name === undefined || prefix === undefined) return;
    const made = await this.#call(createNetwork(plainNetwork(name, [prefix])));
    if (made !== undefined) this.#networks.set(made.reply.id, made.reply);
  }

  /** By id: a newer network with the same name must not be deleted instead. */
  async #deleteNetwork(): Promise<void> {
    const id = this.#pick([...this.#networks.keys()]);
    if (id === undefined) return;
    const deleted = await this.#call(deleteNetwork({ network: id, force: false }));
    if (deleted !== undefined) this.#networks.delete(id);
  }

  async #claim(): Promise<void> {
    const network = this.#pick([...this.#networks.values()]);
    if (network === undefined) return;
    const name = `e${Math.floor(this.#random.float() * 8)}` as Name;
    const prefix = network.subnets[0]?.prefix;
    const wish = this.#chance(0.3) && prefix !== undefined ? [nthAddress(prefix, BigInt(this.#number(16)))] : [];
    const request = claimEndpoint({ network: network.id, name, node: host.id, addresses: wish });
    const made = await this.#call(request);
    if (made === undefined) return;
    if (this.#endpoints.has(made.reply.id)) this.#faults.push(`${made.reply.id} was given to two callers`);
    this.#endpoints.set(made.reply.id, made.reply);
  }

  /**
   * An endpoint is released by one caller, as by one agent in production. So it is taken out of the list before the call.
   */
  async #release(): Promise<void> {
    const endpoint = this.#pick([...this.#endpoints.values()]);
    if (endpoint === undefined) return;
    this.#endpoints.delete(endpoint.id);
    const released = await this.#call(releaseEndpoint({ endpoint: endpoint.id, node: host.id, reason: 'asked' }));
    if (released === undefined) this.#faults.push(`acknowledged endpoint ${endpoint.id} was lost`);
  }

  /**
   * Asks as a client does: one manager after the other until there is an answer. Undefined when the request was refused.
   */
  async #call<Reply>(request: Request<Reply>): Promise<Committed<Reply> | undefined> {
    const id = randomUuid(this.#random) as RequestId;
    const failover = new Failover(managerNames, this.#clock);
    try {
      const first = await failover.run(seconds(600), (name, _remaining, isRetry) =>
        this.#attempt(name, id, request, isRetry),
      );
      this.#count(request.kind);
      if (this.#chance(0.2)) await this.#again(failover, id, request, first);
      return first;
    } catch (error) {
      if (!isCausewayError(error) || !expected.includes(error.code)) this.#faults.push(`${request.kind}: ${error}`);
      else this.#count(error.code);
      return undefined;
    }
  }

  /** A caller that lost the answer asks again, and must get the same answer. */
  async #again<Reply>(
    failover: Failover,
    id: RequestId,
    request: Request<Reply>,
    first: Committed<Reply>,
  ): Promise<void> {
    const second = await failover.run(seconds(600), (name) => this.#attempt(name, id, request, true));
    this.#count('again');
    const same = JSON.stringify(second.reply) === JSON.stringify(first.reply) && second.revision === first.revision;
    if (!same) this.#faults.push(`${request.kind}: asked again, answered otherwise`);
  }

  /** `isRetry`: the call was sent before, so a manager that refuses it must first make sure that no other copy is carried out. */
  #attempt<Reply>(name: string, id: RequestId, request: Request<Reply>, isRetry: boolean): Promise<Committed<Reply>> {
    const manager = this.#managers.get(name);
    if (manager === undefined) throw new CausewayError('manager-unavailable', `no manager ${name}`);
    const abort = new AbortController();
    const limit = this.#clock
      .sleep(milliseconds(1_000 + this.#random.float() * 4_000), abort.signal)
      .then(() => abort.abort());
    return manager.writer.write(id, request, { actor: 'worker', isRetry, signal: abort.signal }).finally(() => {
      abort.abort();
      return limit;
    });
  }

  #count(what: string): void {
    this.#answers.set(what, (this.#answers.get(what) ?? 0) + 1);
  }

  #chance(probability: number): boolean {
    return this.#random.float() < probability;
  }

  #number(below: number): number {
    return Math.floor(this.#random.float() * below);
  }

  #pick<Item>(items: readonly Item[]): Item | undefined {
    return items[this.#number(items.length)];
  }
}

/** What callers got and what is stored must be the same, in id and content. */
function compareSets<Value>(
  what: string,
  acknowledged: ReadonlyMap<string, Value>,
  stored: ReadonlyMap<string, Value>,
  faults: string[],
): void {
  for (const [id, value] of acknowledged) {
    const found = stored.get(id);
    if (found === undefined) faults.push(`acknowledged ${what} ${id} is not there`);
    else if (JSON.stringify(found) !== JSON.stringify(value)) faults.push(`${what} ${id} is not as acknowledged`);
  }
  for (const id of stored.keys())
    if (!acknowledged.has(id)) faults.push(`${what} ${id} is there, and no caller got it`);
}
