import { spawn } from 'node:child_process';
import {
  type Cut,
  enterArguments,
  entrance,
  hostEnvironment,
  hostOf,
  type LabPlan,
  type Lab as LabRecord,
  loadLab,
  machineLabs,
  type ProcessId,
  type ProcessKind,
  planLab,
  processesOf,
  type Signal,
  type Slowness,
} from '@causeway/ctl/lab';
import { milliseconds } from '@causeway/runtime';
import { untilDone } from './until-done.ts';

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Three managers with their etcd members in h1 to h3, and h4, from which the load comes. */
export const managerHosts = ['h1', 'h2', 'h3'] as const;
export type ManagerHost = (typeof managerHosts)[number];
export const loadHost = 'h4';
export type LabHostName = ManagerHost | typeof loadHost;
/** The underlay: what passes it is entered as a host is. */
export const switchHost = 'switch';

/** Etcd members as processes of their own, or their managers' (`lab up --etcd`). */
export const etcdKinds = ['separate', 'embedded'] as const;
export type EtcdKind = (typeof etcdKinds)[number];

/** Cooldown of the lab's managers: so short that a run can wait until everything released is free again, longer than an agent is paused. */
export const cooldown = milliseconds(10_000);

/** Every manager of a new lab has joined within this, ms. */
const wholeWithin = 60_000;

/** A command that failed inside a host. */
export class CommandError extends Error {
  readonly code: number;

  constructor(message: string, code: number) {
    super(message);
    this.code = code;
  }
}

/** A lab that stands. */
export class Lab {
  readonly #record: LabRecord;

  private constructor(record: LabRecord) {
    this.#record = record;
  }

  static async up(name: string, subnet: string, etcd: EtcdKind, say: (message: string) => void): Promise<Lab> {
    await machineLabs.down(name).catch(() => undefined);
    const shape = {
      name,
      hosts: managerHosts.length + 1,
      managers: managerHosts.length,
      etcd,
      mtu: 1500,
      subnet,
      cooldown,
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

  wipe(host: string, kind: ProcessKind): Promise<void> {
    return machineLabs.wipe(this.plan.name, host, kind);
  }

  cut(cut: Cut): Promise<void> {
    return machineLabs.cut(this.plan.name, cut);
  }

  /** Undoes the cuts between a host and one other host, or all others. */
  heal(a: string, b?: string): Promise<void> {
    return machineLabs.heal(this.plan.name, a, b);
  }

  slow(host: string, slowness: Slowness): Promise<void> {
    return machineLabs.slow(this.plan.name, host, slowness);
  }

  /** What runs, stopped or not; an etcd that a manager started too. */
  processes(host: string, kind: ProcessKind): Promise<readonly ProcessId[]> {
    return processesOf(this.#record, hostOf(this.plan, host), kind);
  }

  /**
   * Waits until every manager is one of the cluster's, with its etcd member running: a host is ready as soon as one manager
   * answers its agent, and members join one after the other.
   *
   * @throws Error that names what the cluster has when that takes longer than a minute
   */
  async whole(): Promise<void> {
    await untilDone(wholeWithin, async () => {
      const names = await this.managers();
      const members = await Promise.all(managerHosts.map((host) => this.processes(host, 'etcd')));
      const without = managerHosts.filter((host, n) => !names.includes(host) || members[n]?.length === 0);
      if (without.length > 0) throw new Error(`no manager with an etcd member on ${without.join(', ')} yet`);
    });
  }

  /** Names of the managers that the cluster lists. */
  async managers(): Promise<readonly string[]> {
    const names = await this.run(loadHost, ['causeway', 'manager', 'list', '-o', 'name', '--timeout', '3s']);
    return names.split('\n').filter((name) => name !== '');
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
        else reject(new CommandError(`${host}: ${command.join(' ')} (${code}): ${stderr}`, code ?? 1));
      });
    });
  }
}
