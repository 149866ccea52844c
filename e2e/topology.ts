import { fileURLToPath } from 'node:url';
import {
  enterArguments,
  entrance,
  hostEnvironment,
  type Lab as LabRecord,
  type LabStatus,
  labPaths,
  loadLab,
  type ProcessKind,
} from '@causeway/ctl/lab';
import { type Outcome, type Run, type RunOptions, start, succeed } from './process.ts';

/** What `npx causeway` starts. */
export const cli = fileURLToPath(new URL('../services/ctl/bin/causeway.js', import.meta.url));

/** `causeway …` on this machine, as a user calls it. */
export function causeway(...args: readonly string[]): Promise<Outcome> {
  return start(process.execPath, [cli, ...args]).outcome;
}

export interface LabShape {
  readonly hosts: number;
  readonly managers?: number;
  readonly etcd?: 'separate' | 'embedded';
  readonly subnet?: string;
}

/** A lab that stands, and ways into its hosts. */
export class Lab {
  readonly name: string;
  readonly #record: LabRecord;

  constructor(name: string, record: LabRecord) {
    this.name = name;
    this.#record = record;
  }

  static async up(name: string, shape: LabShape): Promise<Lab> {
    // One left behind by a run that was killed is in the way of this one only.
    await causeway('lab', 'down', '--name', name);
    const options = ['--hosts', `${shape.hosts}`, '--managers', `${shape.managers ?? 1}`];
    if (shape.etcd !== undefined) options.push('--etcd', shape.etcd);
    if (shape.subnet !== undefined) options.push('--subnet', shape.subnet);
    await succeed(`lab up ${name}`, causeway('lab', 'up', '--name', name, ...options));
    return new Lab(name, await loadLab(name));
  }

  async down(): Promise<void> {
    await succeed(`lab down ${this.name}`, causeway('lab', 'down', '--name', this.name));
  }

  get hosts(): readonly string[] {
    return this.#record.plan.hosts.map((host) => host.name);
  }

  /** The host's address on the underlay: its VTEP. */
  underlay(host: string): string {
    const found = this.#record.plan.hosts.find(({ name }) => name === host);
    if (found === undefined) throw new Error(`no host ${host}`);
    return found.underlay;
  }

  /** Path by which a file under a host's /run is reached from outside. */
  runPath(host: string, path: string): string {
    return `${labPaths.run(this.name, host)}/${path}`;
  }

  logPath(host: string, kind: ProcessKind): string {
    return labPaths.log(this.name, host, kind);
  }

  /** Starts a command inside a host, or the switch; it is killed with `nsenter`, whose child is all we see of it. */
  async start(host: string, command: readonly string[], options: RunOptions = {}): Promise<Run> {
    const enter = enterArguments(await entrance(this.#record, host));
    const env = hostEnvironment(this.#record);
    return start('nsenter', [...enter, 'setpriv', '--pdeathsig', 'KILL', ...command], { env, ...options });
  }

  /** Runs a command inside a host to its end. */
  async try(host: string, ...command: readonly string[]): Promise<Outcome> {
    return (await this.start(host, command)).outcome;
  }

  /** The same, which must succeed; answers what it printed. */
  async run(host: string, ...command: readonly string[]): Promise<string> {
    return succeed(`${host}: ${command.join(' ')}`, this.try(host, ...command));
  }

  async sh(host: string, script: string): Promise<string> {
    return this.run(host, 'sh', '-ec', script);
  }

  /** A `causeway … -o json` inside a host, which must succeed. */
  async json<T>(host: string, ...args: readonly string[]): Promise<T> {
    return JSON.parse(await this.run(host, 'causeway', ...args, '-o', 'json')) as T;
  }

  async kill(host: string, kind: ProcessKind, signal = 'KILL'): Promise<void> {
    await succeed(
      `lab kill ${host} ${kind}`,
      causeway('lab', 'kill', '--name', this.name, host, kind, '--signal', signal),
    );
  }

  async startProcess(host: string, kind: ProcessKind): Promise<void> {
    await succeed(`lab start ${host} ${kind}`, causeway('lab', 'start', '--name', this.name, host, kind));
  }

  async status(): Promise<LabStatus> {
    return JSON.parse(
      await succeed('lab status', causeway('lab', 'status', '--name', this.name, '-o', 'json')),
    ) as LabStatus;
  }

  async isReady(host: string): Promise<boolean> {
    return (await this.status()).hosts.some(({ name, ready }) => name === host && ready);
  }
}
