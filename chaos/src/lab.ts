import { spawn } from 'node:child_process';
import {
  enterArguments,
  entrance,
  hostEnvironment,
  type LabPlan,
  type Lab as LabRecord,
  loadLab,
  machineLabs,
  type ProcessKind,
  planLab,
  type Signal,
} from '@causeway/ctl/lab';

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Three managers with their etcd members in h1 to h3, and h4, from which the load comes. */
export const managerHosts = ['h1', 'h2', 'h3'] as const;
export type ManagerHost = (typeof managerHosts)[number];
export const loadHost = 'h4';

/** A lab that stands. */
export class Lab {
  readonly #record: LabRecord;

  private constructor(record: LabRecord) {
    this.#record = record;
  }

  static async up(name: string, subnet: string, say: (message: string) => void): Promise<Lab> {
    await machineLabs.down(name).catch(() => undefined);
    const shape = {
      name,
      hosts: managerHosts.length + 1,
      managers: managerHosts.length,
      etcd: 'separate',
      mtu: 1500,
      subnet,
    } as const;
    await machineLabs.up(planLab(shape), say, new AbortController().signal);
    return new Lab(await loadLab(name));
  }

  get plan(): LabPlan {
    return this.#record.plan;
  }

  down(): Promise<void> {
    return machineLabs.down(this.plan.name);
  }

  underlay(host: string): string {
    return this.plan.hosts.find(({ name }) => name === host)?.underlay ?? '';
  }

  get etcdUrls(): string {
    return managerHosts.map((host) => `http://${this.underlay(host)}:2379`).join(',');
  }

  kill(host: string, kind: ProcessKind, signal: Signal): Promise<void> {
    return machineLabs.kill(this.plan.name, host, kind, signal);
  }

  start(host: string, kind: ProcessKind): Promise<void> {
    return machineLabs.start(this.plan.name, host, kind);
  }

  cut(a: string, b: string): Promise<void> {
    return machineLabs.cut(this.plan.name, [a, b]);
  }

  heal(a: string, b: string): Promise<void> {
    return machineLabs.heal(this.plan.name, [a, b]);
  }

  /** Processes that do not run, as "h1 etcd". */
  async stopped(): Promise<readonly string[]> {
    const { hosts } = await machineLabs.status(this.plan.name);
    return hosts.flatMap(({ name, processes }) => {
      return processes.filter(({ running }) => !running).map(({ kind }) => `${name} ${kind}`);
    });
  }

  /** Logs of all processes, on this machine. */
  async logs(): Promise<readonly string[]> {
    const { hosts } = await machineLabs.status(this.plan.name);
    return hosts.flatMap(({ processes }) => processes.map(({ log }) => log));
  }

  /** How to run a command inside a host; it dies with this process. */
  async commandIn(host: string, command: readonly string[]): Promise<Command> {
    const enter = enterArguments(await entrance(this.#record, host));
    const env = hostEnvironment(this.#record);
    return { command: 'nsenter', args: [...enter, 'setpriv', '--pdeathsig', 'KILL', ...command], env };
  }

  /** Runs a command inside a host, which must succeed; what it printed. */
  async run(host: string, command: readonly string[], input = ''): Promise<string> {
    const { command: program, args, env } = await this.commandIn(host, command);
    const child = spawn(program, args, { env: { ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    // One that ends without reading it has said all there is by its exit.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => {
        if (code === 0) resolve(stdout);
        else reject(new Error(`${host}: ${command.join(' ')} (${code}): ${stderr}`));
      });
    });
  }
}
