import { buildNetwork, differences, type NetnsPath, overlayNetns, readState, routeMetric } from '@causeway/datapath';
import { FakeKernel, type FakeKernelSettings } from '@causeway/datapath/testing';
import { Ip, isKnown, type Name, type NodeId } from '@causeway/model';
import { type Duration, milliseconds, randomUuid, seconds } from '@causeway/runtime';
import { FakeClock, MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import { type Agent, createAgent } from '../agent.ts';
import type { AgentModules } from '../start.ts';
import { memberCluster, memoryEncryption } from './encryption.ts';
import { FakeManager } from './fake-manager.ts';
import { MemoryFiles } from './memory-files.ts';

/** One host. Its kernel and its disk outlive its agents, and the cluster outlives the host. */
export class Host {
  /** The id in the certificate of the agent that starts next. */
  nodeId = 'a1a1a1a1a1a1a1a1' as NodeId;
  readonly clock: FakeClock;
  #boots = 1;
  #kernel: FakeKernel;
  readonly manager: FakeManager;
  readonly #managers: readonly string[];
  /** The data directory for the next agent. */
  files = new MemoryFiles();
  readonly log = new MemoryLog();
  readonly encryption: ReturnType<typeof memoryEncryption>;
  readonly random = new SeededRandom(1);
  #agent: Agent | undefined;
  readonly #kernelSettings: Pick<FakeKernelSettings, 'hasCookies' | 'hasEsp'>;

  constructor(
    kernel: Pick<FakeKernelSettings, 'hasCookies' | 'hasEsp'> = {},
    manager = new FakeManager(),
    managers: readonly string[] = ['10.0.0.1:7443'],
    clock = new FakeClock(),
  ) {
    this.clock = clock;
    this.manager = manager;
    this.#managers = managers;
    this.#kernelSettings = kernel;
    this.encryption = memoryEncryption(clock, this.nodeId);
    this.#kernel = this.#boot();
  }

  get kernel(): FakeKernel {
    return this.#kernel;
  }

  get agent(): Agent {
    if (this.#agent === undefined) throw new Error('the agent is not started');
    return this.#agent;
  }

  /** Starts an agent and waits until its first session has sent everything, if there are managers. */
  async start(): Promise<this> {
    await this.boot();
    await this.settle();
    return this;
  }

  /** Starts an agent, and does not wait for its first session. */
  async boot(): Promise<void> {
    const { nodeId } = this;
    const settings = {
      nodeId,
      cluster: memberCluster,
      name: 'h1' as Name,
      managers: this.#managers,
      dataPath: Ip('192.0.2.1'),
      vxlanPort: 4789,
    };
    this.#agent = createAgent(this.seams(), { ...settings, version: '0.1.0' });
    await this.#agent.start();
  }

  /** Same as `kill -9` as far as the next agent can tell: the old agent does nothing any more. */
  async restart(): Promise<this> {
    await this.clock.until(this.agent.stop(), seconds(60));
    return await this.start();
  }

  /** Restarts the machine: its namespaces are gone, its disk is not. The test starts the agent again. */
  async reboot(): Promise<void> {
    await this.clock.until(this.agent.stop(), seconds(60));
    this.#boots++;
    this.#kernel = this.#boot();
  }

  /** The world as the agent sees it. */
  protected seams(): AgentModules {
    const { kernel, manager: link, files, clock, random, log, encryption } = this;
    return { kernel, link, files, clock, random, log, encryption };
  }

  settle(span: Duration = milliseconds(300)): Promise<void> {
    return this.clock.advance(span);
  }

  container(name: string): NetnsPath {
    return this.kernel.foreignNetns(`/run/netns/${name}` as NetnsPath);
  }

  uuid(): string {
    return randomUuid(this.random);
  }

  /** Makes the container's namespace too, unless it exists. */
  async attach(
    network: string,
    name: string,
    options: {
      ifname?: string;
      netns?: string;
      requestId?: string;
      addresses?: string[];
      labels?: Record<string, string>;
      gatewayPriority?: number;
    } = {},
  ) {
    const netns = options.netns ?? `/run/netns/${name}`;
    if (options.netns === undefined && !this.kernel.namespaces.has(netns as NetnsPath)) this.container(name);
    const { ifname = '', addresses = [], labels = {}, requestId = this.uuid(), gatewayPriority = 0 } = options;
    const call = this.agent.api.attach({
      ...{ requestId, network, name, netns, ifname, addresses, labels },
      gatewayPriority,
    });
    const { endpoint } = await this.clock.until(call, seconds(60));
    if (endpoint === undefined) throw new Error('attached, and no endpoint in the answer');
    return endpoint;
  }

  async detach(endpoint: string, requestId = this.uuid(), force = false): Promise<bigint> {
    const { revision } = await this.clock.until(this.agent.api.detach({ requestId, endpoint, force }), seconds(60));
    return revision;
  }

  status() {
    return this.agent.api.getAgentStatus();
  }

  /** Differences between the kernel and what managers and sandboxes require. Computed independently of the agent. */
  async wrong(networkName: string): Promise<string[]> {
    const held = this.manager.networks.get(networkName);
    if (held === undefined) throw new Error(`no network ${networkName}`);
    if (!isKnown(held.network)) throw new Error(`network ${networkName} has a driver that builds nothing`);
    const status = await this.status();
    const { sandboxes } = await this.agent.api.listSandboxes();
    const desired = buildNetwork({
      network: held.network,
      node: status.node?.id as never,
      vtep: Ip('192.0.2.1'),
      vxlanPort: 4789,
      rows: held.rows.values(),
      sandboxes: sandboxes.map(({ endpoint, netns, ifname, gatewayPriority: priority, routeMetric: metric }) => ({
        endpoint: endpoint?.id as never,
        netns: this.#firstPathTo(netns as NetnsPath),
        ifname,
        gateway: { priority, slot: metric - routeMetric({ priority, slot: 0 }) },
      })),
    });
    const actual = await readState(this.kernel, desired);
    return differences(actual, desired).map(
      ({ kind, key, actual: is, desired }) => `${kind} ${key}: ${is} -> ${desired}`,
    );
  }

  /** The oldest path that leads to the namespace. */
  #firstPathTo(netns: NetnsPath): NetnsPath {
    const namespace = this.kernel.namespaces.get(netns);
    const paths = [...this.kernel.namespaces].filter(([, other]) => other === namespace).map(([path]) => path);
    return paths[0] ?? netns;
  }

  overlay(networkName: string): NetnsPath {
    const held = this.manager.networks.get(networkName);
    if (held === undefined) throw new Error(`no network ${networkName}`);
    return overlayNetns(held.network.id);
  }

  #boot(): FakeKernel {
    const settings = { underlay: Ip('192.0.2.1'), bootId: `boot-${this.#boots}`, ...this.#kernelSettings };
    return new FakeKernel({ clock: this.clock }, settings);
  }

  events(): string[] {
    return this.log.lines.map(({ event }) => event);
  }
}
