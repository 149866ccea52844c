import { type Agent, createAgent, type Files, resetHost } from '@causeway/agent';
import { MemoryFiles, memberCluster, memoryEncryption } from '@causeway/agent/testing';
import { hostNetns, type NetnsPath } from '@causeway/datapath';
import { connectivity, type Delivery, FakeKernel } from '@causeway/datapath/testing';
import { Ip as asIp, feedVersions, type Ip, interfaceAddress, type Name, type NodeId } from '@causeway/model';
import type { Endpoint } from '@causeway/proto/gen/causeway/v1/types.js';
import { type Duration, randomUuid } from '@causeway/runtime';
import { type FakeClock, type MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import type { Connections } from './connections.ts';
import { SimProcess } from './sim-process.ts';

export interface SimWorld {
  readonly clock: FakeClock;
  readonly log: MemoryLog;
  readonly random: SeededRandom;
  readonly connections: Connections;
  readonly managers: readonly string[];
}

export interface SimHostSettings {
  readonly number: number;
  readonly mtu: number;
  readonly rekeyPeriod: Duration | undefined;
}

/** A host: a kernel and a disk that survive its agent. */
export class SimHost {
  readonly name: Name;
  /** The id in the certificate of the host. */
  #nodeId: NodeId;
  #vtep: Ip;
  readonly kernel: FakeKernel;
  readonly files: Files & MemoryFiles = new MemoryFiles();
  /** As the files: outlives the agent. */
  #encryption: ReturnType<typeof memoryEncryption>;
  readonly #world: SimWorld;
  readonly #rekeyPeriod: Duration | undefined;
  #agent: Agent | undefined;
  #process = new SimProcess();

  constructor(world: SimWorld, settings: SimHostSettings) {
    this.#world = world;
    this.#rekeyPeriod = settings.rekeyPeriod;
    this.name = `h${settings.number}` as Name;
    this.#nodeId = settings.number.toString(16).padStart(16, 'a') as NodeId;
    this.#vtep = asIp(`10.90.${settings.number >> 8}.${settings.number & 255}`);
    this.#encryption = memoryEncryption(world.clock, this.#nodeId);
    this.kernel = new FakeKernel(world, { underlay: this.#vtep, mtu: settings.mtu });
  }

  /** The address at which the host receives VXLAN. */
  get vtep(): Ip {
    return this.#vtep;
  }

  /** The disk is empty, and the host has joined again, as another host. */
  replace(node: NodeId): void {
    this.files.contents.clear();
    this.#nodeId = node;
    this.#encryption = memoryEncryption(this.#world.clock, node);
  }

  get encryption(): ReturnType<typeof memoryEncryption> {
    return this.#encryption;
  }

  /** Adds another underlay address to the host. Its next agent receives VXLAN there. */
  move(vtep: Ip): void {
    this.#vtep = vtep;
    this.kernel.foreign({ op: 'address.add', netns: hostNetns, dev: 'eth0', address: interfaceAddress(vtep, 24) });
  }

  get agent(): Agent {
    if (this.#agent === undefined) throw new Error(`the agent of ${this.name} does not run`);
    return this.#agent;
  }

  /** `feeds`: feed versions of the agent; default: those of this version. */
  async start(feeds = feedVersions): Promise<void> {
    const { clock, connections, managers } = this.#world;
    const simProcess = new SimProcess();
    const link = connections.link(this.name, this.#nodeId);
    simProcess.onKill(() => link.close());
    const random = new SeededRandom(Math.floor(this.#world.random.float() * 2 ** 32));
    const log = this.#world.log.child({ process: `agent of ${this.name}` });
    const agent = createAgent(
      {
        kernel: simProcess.whileAlive(this.kernel),
        files: simProcess.whileAlive(this.files),
        clock: simProcess.whileAlive(clock),
        link: simProcess.whileAlive(link),
        random,
        log,
        encryption: { ...this.#encryption, keyFile: simProcess.whileAlive(this.#encryption.keyFile) },
      },
      {
        ...{ nodeId: this.#nodeId, cluster: memberCluster, name: this.name, managers, feeds },
        ...{ dataPath: this.vtep, vxlanPort: 4789, version: 'sim' },
        ...(this.#rekeyPeriod !== undefined && { rekeyPeriod: this.#rekeyPeriod }),
      },
    );
    await agent.start();
    this.#agent = agent;
    this.#process = simProcess;
  }

  /** Like `kill -9`: the kernel and the disk stay as they are. */
  kill(): void {
    this.#process.kill();
    this.#agent = undefined;
  }

  /** Like SIGTERM. */
  async stop(): Promise<void> {
    await this.#agent?.stop();
    this.kill();
  }

  /** Like `causeway-agent --reset`, when the agent does not run. */
  async reset(): Promise<void> {
    await resetHost({ kernel: this.kernel, files: this.files, tell: () => undefined });
  }

  /** Makes an empty namespace for a container. */
  container(name: string): NetnsPath {
    const netns = `/run/netns/${name}` as NetnsPath;
    this.kernel.foreignNetns(netns);
    return netns;
  }

  async attach(
    network: string,
    name: string,
    address?: string,
    labels: Record<string, string> = {},
  ): Promise<Endpoint> {
    const netns = `/run/netns/${name}`;
    if ((await this.kernel.identify(netns as NetnsPath)) === undefined) this.container(name);
    const requestId = randomUuid(this.#world.random);
    const addresses = address === undefined ? [] : [address];
    const { endpoint } = await this.agent.api.attach({
      requestId,
      network,
      name,
      netns,
      ifname: '',
      addresses,
      labels,
      gatewayPriority: 0,
    });
    if (endpoint === undefined) throw new Error('attach answered no endpoint');
    return endpoint;
  }

  async detach(endpoint: string): Promise<void> {
    await this.agent.api.detach({ requestId: randomUuid(this.#world.random), endpoint, force: false });
  }

  /** Whether a container of this host gets an echo reply from an address, through the kernels of all hosts. */
  pings(container: string, to: string, hosts: readonly SimHost[]): boolean {
    return this.trace(container, to, hosts).delivered;
  }

  trace(container: string, to: string, hosts: readonly SimHost[]): Delivery {
    const from = { kernel: this.kernel, netns: `/run/netns/${container}` as NetnsPath };
    const kernels = hosts.map(({ kernel }) => kernel);
    return connectivity(kernels, from, asIp(to));
  }
}
