import { join } from 'node:path';
import { Prefix } from '@causeway/model';
import type { Endpoint } from '@causeway/proto/gen/causeway/v1/types.js';
import type { Duration } from '@causeway/runtime';
import type { MemberProcess } from '../commands.ts';
import type { Cut, Slowness } from '../faults.ts';
import type { LabControl, Progress, Signal } from '../labs.ts';
import { type EtcdKind, hostOf, type LabHost, type LabPlan, type ProcessKind, planLab } from '../plan.ts';
import type { LabStatus } from '../status.ts';
import { type Attached, attachIn } from './attach.ts';
import { existingLabs, labDown } from './down.ts';
import { type Command, commandIn, execIn } from './exec.ts';
import { cut, heal, slow } from './faults.ts';
import { enroll } from './membership.ts';
import type { ProcessId } from './proc.ts';
import { type Outcome, type Run, type RunOptions, start, succeed } from './process.ts';
import { checkRoot } from './requirements.ts';
import { killService, processesOf, startService, wipeService } from './service.ts';
import { type LabRecord, loadLab, paths } from './state.ts';
import { labStatus } from './status.ts';
import { makeHosts, makeLab } from './up.ts';

/** The properties of a lab for a test. The defaults are those of `causeway lab up`. */
export interface LabShape {
  readonly name: string;
  readonly hosts: number;
  readonly managers?: number;
  readonly etcd?: EtcdKind;
  readonly subnet?: string;
  readonly cooldown?: Duration;
}

export interface MakeOptions {
  readonly progress?: Progress;
  /** Stops the setup, and removes everything. */
  readonly signal?: AbortSignal;
}

/** A complete lab: its hosts, their processes, and the faults between them. */
export class Lab implements LabControl {
  readonly #record: LabRecord;

  private constructor(record: LabRecord) {
    this.#record = record;
  }

  /**
   * Makes a lab; every agent has a session when this resolves. When it fails or the signal aborts, everything is removed.
   * Throws `lab-exists`, `permission-denied`, `capability-missing`, or the failure with the last log lines.
   */
  static async up(plan: LabPlan, progress: Progress, signal: AbortSignal): Promise<Lab> {
    return new Lab(await makeLab(plan, progress, signal));
  }

  /** Makes a lab. Removes a lab of the same name first, which a killed run has left. */
  static async replace(shape: LabShape, { progress, signal }: MakeOptions = {}): Promise<Lab> {
    if ((await existingLabs()).includes(shape.name)) await labDown(shape.name);
    return Lab.up(planOf(shape), progress ?? (() => undefined), signal ?? new AbortController().signal);
  }

  /** Makes only hosts and underlay, for tests of links without processes. After a failure, `down` removes the rest. */
  static async layOut(shape: LabShape): Promise<Lab> {
    return new Lab(await makeHosts(planOf(shape), () => undefined));
  }

  /** Throws `lab-unknown`. */
  static async open(name: string): Promise<Lab> {
    checkRoot();
    return new Lab(await loadLab(name));
  }

  get plan(): LabPlan {
    return this.#record.plan;
  }

  get name(): string {
    return this.plan.name;
  }

  get hosts(): readonly string[] {
    return this.plan.hosts.map(({ name }) => name);
  }

  /** The host's address on the underlay: its VTEP. */
  underlay(host: string): string {
    return this.#host(host).underlay;
  }

  /** Path outside the host to a file below the host's /run. */
  runPath(host: string, path: string): string {
    return join(paths.run(this.name, host), path);
  }

  logPath(host: string, kind: ProcessKind): string {
    return paths.log(this.name, host, kind);
  }

  down(): Promise<void> {
    return labDown(this.name);
  }

  status(): Promise<LabStatus> {
    return labStatus(this.#record);
  }

  async isReady(host: string): Promise<boolean> {
    return (await this.status()).hosts.some(({ name, ready }) => name === host && ready);
  }

  /** The running processes, stopped or not. An etcd that a manager has started is included. */
  processes(host: string, kind: ProcessKind): Promise<readonly ProcessId[]> {
    return processesOf(this.#record, this.#host(host), kind);
  }

  async kill(host: string, kind: ProcessKind, signal: Signal = 'KILL'): Promise<void> {
    await killService(this.#record, this.#host(host), kind, `SIG${signal}`);
  }

  /** `more`: options that the process does not have in a lab. */
  async startProcess(host: string, kind: ProcessKind, ...more: readonly string[]): Promise<void> {
    await startService(this.#record, this.#host(host), kind, more);
  }

  async wipe(host: string, kind: ProcessKind): Promise<void> {
    await wipeService(this.#record, this.#host(host), kind);
  }

  /** Makes another agent or manager of a host a member of the cluster, which a test then starts by itself. */
  async join(host: string, member: Omit<MemberProcess, 'host'>): Promise<void> {
    await enroll(this.#record, [{ ...member, host: this.#host(host) }]);
  }

  /** As `causeway endpoint attach`, without the start of a program, which takes seconds on a slow machine. */
  attach(host: string, attached: Attached): Promise<Endpoint> {
    return attachIn(this.plan, this.#host(host), attached);
  }

  cut(what: Cut): Promise<void> {
    return cut(this.#record, what);
  }

  heal(a?: string, b?: string): Promise<void> {
    return heal(this.#record, a, b);
  }

  slow(host: string, slowness: Slowness): Promise<void> {
    return slow(this.#record, host, slowness);
  }

  exec(host: string, command: readonly string[]): Promise<number> {
    return execIn(this.#record, host, command);
  }

  /** How to run a command inside a host or the switch. The command dies with this process. */
  commandIn(host: string, command: readonly string[]): Promise<Command> {
    return commandIn(this.#record, host, ['setpriv', '--pdeathsig', 'KILL', ...command]);
  }

  /**
   * Starts a command inside a host or the switch. The child process is `nsenter`, whose only child is the command
   * (`signalChild`).
   */
  async start(host: string, words: readonly string[], options: Omit<RunOptions, 'env'> = {}): Promise<Run> {
    const { command, args, env } = await this.commandIn(host, words);
    return start(command, args, { ...options, env });
  }

  /** Runs a command inside a host, and waits for its end. */
  async try(host: string, ...command: readonly string[]): Promise<Outcome> {
    return (await this.start(host, command)).outcome;
  }

  /** Same as `try`, but the command must succeed; resolves to its output. */
  run(host: string, ...command: readonly string[]): Promise<string> {
    return this.feed(host, command, '');
  }

  /** Same as `run`, with input for the command. */
  async feed(host: string, command: readonly string[], input: string): Promise<string> {
    const { outcome } = await this.start(host, command, { input });
    return succeed(`${host}: ${command.join(' ')}`, outcome);
  }

  sh(host: string, script: string): Promise<string> {
    return this.run(host, 'sh', '-ec', script);
  }

  /** Runs `causeway … -o json` inside a host; the command must succeed. */
  async json<T>(host: string, ...args: readonly string[]): Promise<T> {
    return JSON.parse(await this.run(host, 'causeway', ...args, '-o', 'json')) as T;
  }

  #host(name: string): LabHost {
    return hostOf(this.plan, name);
  }
}

function planOf({ subnet = '10.90.0.0/16', ...shape }: LabShape): LabPlan {
  return planLab({ managers: 1, etcd: 'separate', mtu: 1500, subnet: Prefix(subnet), ...shape });
}
