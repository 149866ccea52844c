import { type Entry, type Evidence, keysOf, keysOfNetwork, type Outcome } from '@causeway/chaos';
import {
  type Committed,
  claimEndpoint,
  cooldown,
  createNetwork,
  deleteNetwork,
  type Request,
  readClaimEndpoint,
  readCreateNetwork,
  readDeleteNetwork,
  readReleaseEndpoint,
  registerNode,
  releaseEndpoint,
} from '@causeway/manager/testing';
import {
  CausewayError,
  type Endpoint,
  type Ip,
  isCausewayError,
  type Name,
  type Network,
  type Node,
  type NodeId,
  type RequestId,
} from '@causeway/model';
import { Failover } from '@causeway/proto';
import { ClaimEndpointRequest, ReleaseEndpointRequest } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import { CreateNetworkRequest, DeleteNetworkRequest } from '@causeway/proto/gen/causeway/v1/network_service.js';
import { Subnet } from '@causeway/proto/gen/causeway/v1/types.js';
import { type Duration, milliseconds, randomUuid, seconds } from '@causeway/runtime';
import { FaultyCluster } from './faulty-cluster.ts';
import { type AddressReuse, LaggingHosts, readReuse } from './lagging-hosts.ts';
import { Recorder } from './recorder.ts';

export interface AllocationRun {
  readonly evidence: Evidence;
  /** Calls that were made twice and answered differently, and the faults that the auditor found. */
  readonly faults: readonly string[];
  /** Calls that were delivered to both managers. */
  readonly duplicated: number;
  /** Tries that arrived after their caller had given up. */
  readonly late: number;
  /** How freed addresses became free again. */
  readonly reuse: AddressReuse;
  /** How often hosts could not be reached. */
  readonly silences: number;
}

const ttl = seconds(1);
const span = seconds(5);
const workers = 4;
const node: Node = {
  id: '00000000000000a1' as NodeId,
  name: 'h1' as Name,
  dataPath: '192.0.2.1' as Ip,
  underlayMtu: 1500,
  version: 'sim',
};
/**
 * A network with so few addresses that callers always compete for them: six IPv6 addresses; seven IPv4 addresses in ranges
 * that are listed out of order, one outside the ranges that must be asked for by name, and one that is never available.
 */
const network = {
  name: 'blue',
  subnets: [
    {
      prefix: '10.0.0.0/28',
      gateway: '',
      ranges: ['10.0.0.8/30', '10.0.0.4/30'],
      auxAddresses: { printer: '10.0.0.9' },
    },
    { prefix: 'fd00::/125', gateway: '' },
  ],
  requested: ['10.0.0.2', '10.0.0.10'],
  labels: { tier: 'web' },
};

/** The timeout of callers that often give up before the outcome of their call is known. */
const impatient = milliseconds(100);
const patient = seconds(60);
/** Longest delay of a try on its way to a manager. */
const longestWay = milliseconds(3 * ttl);
/** Longer than the delay of any transaction. */
const lateWrites = milliseconds(longestWay + 5 * ttl);

/**
 * For some seconds, callers claim and release through the leading one of two managers. Returns answers and store
 * history.
 */
export function simulateAllocation(seed: number): Promise<AllocationRun> {
  return new AllocationSimulation(seed).run();
}

class AllocationSimulation {
  readonly #cluster: FaultyCluster;
  #hosts: LaggingHosts | undefined;
  readonly #journal: Entry[] = [];
  readonly #faults: string[] = [];
  #names = 0;
  #duplicated = 0;
  #late = 0;

  constructor(seed: number) {
    const hosts = (world: ConstructorParameters<typeof LaggingHosts>[0]): LaggingHosts => {
      this.#hosts = new LaggingHosts(world);
      return this.#hosts;
    };
    this.#cluster = new FaultyCluster({ seed, managers: 2, ttl, hosts });
  }

  async run(): Promise<AllocationRun> {
    const cluster = this.#cluster;
    const { clock, auditor } = cluster;
    const recorder = new Recorder(clock);
    const beginning = Number((await clock.until(cluster.observer().get('/'), seconds(1))).revision);
    void recorder.run(cluster.observer(), cluster.ended);
    void this.#hosts?.run({
      revision: () => BigInt(recorder.revisions.at(-1)?.revision ?? 0),
      networks: () => auditor.networks.keys(),
      calm: () => cluster.calm,
      end: cluster.ended,
    });
    await cluster.start();
    await this.#prepare();
    await cluster.runWithFaults(span, ...Array.from({ length: workers }, () => () => this.#worker()));
    await clock.advance(lateWrites);
    const rested = clock.now();
    const before = [...recorder.revisions];
    const restedAt = await this.#revision();
    // The calls of the clean-up must have later times than the moment of rest, on every clock.
    await clock.advance(milliseconds(1));
    for (const left of [...auditor.endpoints.values()]) await clock.until(this.#release(left, patient), seconds(60));
    for (const left of [...auditor.networks.values()]) await clock.until(this.#delete(left), seconds(60));
    // Released addresses cool for one cooldown, and for a second one after an election.
    await clock.advance(milliseconds(2 * cooldown));
    const marks = { beginning, rested: restedAt, end: await this.#revision() };
    await cluster.stop();
    const cleaned = recorder.revisions.filter(({ revision }) => revision > restedAt && revision <= marks.end);
    const evidence = { journal: this.#journal, before, rested, cleaned, marks };
    const reports = this.#hosts?.reports ?? [];
    const reuse = readReuse(recorder.revisions, reports, cooldown);
    const faults = [...this.#faults, ...auditor.faults, ...reuse.faults];
    const silences = reports.filter(({ floor }) => floor === undefined).length;
    return { evidence, faults, duplicated: this.#duplicated, late: this.#late, reuse, silences };
  }

  async #prepare(): Promise<void> {
    const { clock, leaders } = this.#cluster;
    const [leader] = leaders;
    if (leader === undefined) throw new Error('no manager was elected');
    await clock.until(leader.writer.apply(registerNode(node), { cause: 'set-up' }), seconds(10));
    const { name, labels, subnets } = network;
    const request = CreateNetworkRequest.create({ name, labels, subnets: subnets.map((each) => Subnet.create(each)) });
    const intent = createNetwork(readCreateNetwork(request));
    const about = { act: 'create', name } as const;
    await clock.until(this.#call(about, intent, patient, keysOfNetwork), seconds(60));
  }

  /** The store's current revision, from the store itself. */
  async #revision(): Promise<number> {
    const { clock } = this.#cluster;
    return Number((await clock.until(this.#cluster.observer().get('/'), seconds(10))).revision);
  }

  async #delete(left: Network): Promise<void> {
    const message = DeleteNetworkRequest.create({ network: left.id });
    const about = { act: 'delete', name: left.name } as const;
    await this.#call(about, deleteNetwork(readDeleteNetwork(message)), patient, () => keysOfNetwork(left));
  }

  async #worker(): Promise<void> {
    const cluster = this.#cluster;
    const held: Endpoint[] = [];
    while (!cluster.calm) {
      await cluster.clock.sleep(milliseconds(cluster.random.float() * 60));
      const patience = cluster.chance(0.1) ? impatient : patient;
      const [endpoint] = cluster.chance(0.5) ? held.splice(cluster.number(held.length), 1) : [];
      if (endpoint === undefined) held.push(...(await this.#claim(patience)));
      else await this.#release(endpoint, patience);
    }
  }

  async #claim(patience: Duration): Promise<readonly Endpoint[]> {
    const name = `e${this.#names++}`;
    const wish = this.#cluster.chance(0.5) ? this.#cluster.pick(network.requested) : undefined;
    const addresses = wish === undefined ? [] : [wish];
    const message = ClaimEndpointRequest.create({
      ...{ network: network.name, name, nodeId: node.id, addresses },
      labels: this.#cluster.chance(0.5) ? { app: name } : {},
    });
    const about = { act: 'claim', name, asked: { network: network.name, addresses } } as const;
    return this.#call(about, claimEndpoint(readClaimEndpoint(message)), patience, keysOf);
  }

  async #release(endpoint: Endpoint, patience: Duration): Promise<void> {
    const message = ReleaseEndpointRequest.create({ endpointId: endpoint.id, nodeId: node.id });
    const request = releaseEndpoint(readReleaseEndpoint(message));
    await this.#call({ act: 'release', name: endpoint.name }, request, patience, () => keysOf(endpoint));
  }

  /** Records the outcome in the journal. Returns the reply if the call succeeded. */
  async #call<Reply>(
    about: Pick<Entry, 'act' | 'name' | 'asked'>,
    request: Request<Reply>,
    patience: Duration,
    held: (reply: Reply) => readonly string[],
  ): Promise<readonly Reply[]> {
    const { clock } = this.#cluster;
    const call = clock.now();
    const write = (outcome: Outcome): void => void this.#journal.push({ ...about, call, end: clock.now(), outcome });
    try {
      const { reply } = await this.#write(request, patience);
      write({ kind: 'done', held: held(reply) });
      return [reply];
    } catch (error) {
      if (!isCausewayError(error)) throw error;
      write({ kind: error.kind === 'unavailable' ? 'unknown' : 'refused', code: error.code });
      return [];
    }
  }

  /**
   * Like a client, goes from manager to manager until there is an answer. Some calls are repeated and must get the same
   * answer.
   */
  async #write<Reply>(request: Request<Reply>, patience: Duration): Promise<Committed<Reply>> {
    const { managers, clock } = this.#cluster;
    const id = this.#id();
    const failover = new Failover(
      managers.map(({ name }) => name),
      clock,
    );
    const ask = (within: Duration): Promise<Committed<Reply>> => {
      return failover.run(within, (name, remaining, isRetry) =>
        this.#attempt(name, id, request, { remaining, isRetry }),
      );
    };
    const twin = this.#cluster.chance(0.2) ? this.#twin(id, request) : undefined;
    try {
      const answer = await ask(patience);
      if (this.#cluster.chance(0.2)) this.#compare(request, answer, await ask(patient));
      this.#compare(request, answer, await twin?.catch(() => undefined));
      return answer;
    } catch (error) {
      // The call was sent twice and one copy was refused: the other copy decides.
      if (twin !== undefined) return await twin;
      throw error;
    }
  }

  /** Sends the same call a second time, concurrently, to any manager. As a client does, it says that this is a copy. */
  #twin<Reply>(id: RequestId, request: Request<Reply>): Promise<Committed<Reply>> {
    this.#duplicated++;
    const twin = this.#attempt(this.#cluster.pick(this.#cluster.managers)?.name ?? '', id, request, {
      remaining: patient,
      isRetry: true,
    });
    twin.catch(() => undefined);
    return twin;
  }

  #compare<Reply>({ kind, content }: Request<Reply>, one: Committed<Reply>, other: Committed<Reply> | undefined): void {
    if (other === undefined || printed(one.reply) === printed(other.reply)) return;
    this.#faults.push(`${kind} ${content}: asked twice, answered in two ways`);
  }

  async #attempt<Reply>(
    name: string,
    id: RequestId,
    request: Request<Reply>,
    { remaining, isRetry }: { readonly remaining: Duration; readonly isRetry: boolean },
  ): Promise<Committed<Reply>> {
    const { managers, clock, random } = this.#cluster;
    const manager = managers.find((candidate) => candidate.name === name);
    if (manager === undefined) throw new CausewayError('manager-unavailable', `no manager ${name}`);
    const abort = new AbortController();
    const span = milliseconds(Math.min(remaining, 500 + random.float() * 2_000));
    void clock.sleep(span, abort.signal).then(() => abort.abort());
    const caller = { actor: 'worker', signal: abort.signal, isRetry };
    return manager.writer
      .write(id, request, caller)
      .catch((error: unknown) => {
        if (isCausewayError(error) && error.kind === 'unavailable') this.#arriveLate(id, request, isRetry);
        throw error;
      })
      .finally(() => abort.abort());
  }

  /** Delays a try that its caller has given up, so that it reaches a manager after other tries of the call. */
  #arriveLate<Reply>(id: RequestId, request: Request<Reply>, isRetry: boolean): void {
    const { managers, clock, random } = this.#cluster;
    if (!this.#cluster.chance(0.2)) return;
    this.#late++;
    void clock.sleep(milliseconds(random.float() * longestWay)).then(async () => {
      const manager = this.#cluster.pick(managers);
      await manager?.writer.write(id, request, { actor: 'worker', isRetry }).catch(() => undefined);
    });
  }

  #id(): RequestId {
    return randomUuid(this.#cluster.random) as RequestId;
  }
}

/** The same text for equal values, in whatever order their keys were set. */
function printed(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === 'bigint') return `${part}n`;
    const isRecord = typeof part === 'object' && part !== null && !Array.isArray(part);
    return isRecord ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))) : part;
  });
}
