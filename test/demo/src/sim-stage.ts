import { type Clients, type Connect, run } from '@causeway/ctl';
import type { NetnsPath } from '@causeway/datapath';
import { SimCluster, type SimHost } from '@causeway/simulator';
import type { Answer, Stage } from './stage.ts';

/** The same managers and agents in one process. Kernels, store and time are simulated; the command line is real. */
export class SimStage implements Stage {
  readonly title: string;
  readonly hints = ['npm run demo     # as root on Linux: the same with real kernels, yours to try'];
  readonly #cluster: SimCluster;

  constructor(hosts: number) {
    this.title = `a simulated cluster of ${hosts} hosts and 1 manager, in this process`;
    this.#cluster = new SimCluster({ hosts });
  }

  get hosts(): readonly string[] {
    return this.#cluster.hosts.map(({ name }) => name);
  }

  async up(say: (line: string) => void): Promise<void> {
    await this.#cluster.start();
    say(`  ${this.hosts.length}/${this.hosts.length} hosts ready`);
  }

  async exec(host: string, command: string): Promise<Answer> {
    const at = this.#cluster.host(host);
    const [program, ...words] = command.split(' ');
    if (program === 'causeway') return await this.#causeway(at, words);
    const said = await this.#others(at, command);
    return said === undefined ? { code: 1, stdout: '', stderr: '' } : { code: 0, stdout: said, stderr: '' };
  }

  async down(): Promise<void> {
    await this.#cluster.stop();
  }

  /** Simulates the commands of iproute2 and ping that the story uses; undefined: the command failed. */
  async #others(at: SimHost, command: string): Promise<string | undefined> {
    const [, container, target] = /^ip netns exec (\S+) ping .* (\S+)$/.exec(command) ?? [];
    if (container !== undefined && target !== undefined) {
      return at.pings(container, target, this.#cluster.hosts) ? '' : undefined;
    }
    const [, added] = /^ip netns add (\S+)$/.exec(command) ?? [];
    if (added !== undefined) {
      at.container(added);
      return '';
    }
    const [, table] = /^\w+ -n \S+ (fdb|neigh) show dev vxlan0$/.exec(command) ?? [];
    const [, name] = / -n (\S+) /.exec(command) ?? [];
    const held = await at.kernel.read(`/run/netns/${name}` as NetnsPath, { sysctls: [] });
    const lines =
      table === 'fdb'
        ? [...(held?.fdb.get('vxlan0') ?? [])].map(([mac, vtep]) => `${mac} dst ${vtep} self permanent`)
        : [...(held?.neighbours.get('vxlan0') ?? [])].map(([ip, mac]) => `${ip} lladdr ${mac} PERMANENT`);
    return lines.join('\n');
  }

  async #causeway(at: SimHost, words: readonly string[]): Promise<Answer> {
    const said = { stdout: '', stderr: '' };
    const page = (to: 'stdout' | 'stderr') => ({
      isTty: false,
      colour: false,
      write: (text: string) => {
        said[to] += text;
      },
    });
    const { clock, random } = this.#cluster;
    const context = {
      stdout: page('stdout'),
      stderr: page('stderr'),
      clock,
      random,
      signal: new AbortController().signal,
      connect: connectTo(this.#cluster, at),
      hostVariables: async () => ({}),
      managersOfContext: async () => [],
      version: 'simulated',
      runtime: 'simulated',
      exitCode: 0,
    };
    const code = await this.#cluster.run(run(['--managers', 'm1:7443', ...words], context));
    return { ...said, code };
  }
}

/** The clients of the command line, connected to the cluster without a network. */
function connectTo(cluster: SimCluster, host: SimHost): Connect {
  return () => ({
    managers: managersOf(cluster),
    agent: {
      attach: (request) => host.agent.api.attach(request),
      detach: (request) => host.agent.api.detach(request),
      getAgentStatus: () => host.agent.api.getAgentStatus(),
      listSandboxes: () => host.agent.api.listSandboxes(),
    },
    renewIdentity: async () => undefined,
    close: () => undefined,
  });
}

/** Every call with one answer goes to the use case of its name. The story watches nothing. */
function managersOf(cluster: SimCluster): Clients['managers'] {
  const ask = (method: string) => (request: object) =>
    cluster.query((api, call) => {
      const useCases = Object.values(api).find((each) => method in each) as unknown as UseCases | undefined;
      if (useCases === undefined) throw new Error(`the story does not call ${method}`);
      return useCases[method]?.(request, call) as Promise<object>;
    });
  const own: Partial<Clients['managers']> = { getStatuses: async () => [] };
  return new Proxy(own, {
    get: (known, method) => (method in known ? known[method as keyof typeof known] : ask(String(method))),
  }) as Clients['managers'];
}

type UseCases = Readonly<Record<string, (request: object, call: unknown) => unknown>>;
