import { type ChildProcess, spawn } from 'node:child_process';
import { cp, mkdtemp, open, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findEtcd } from '../../etcd-server/binary.ts';
import { freePorts } from '../../etcd-server/free-ports.ts';

export interface TestEtcdSettings {
  /** Extra flags. */
  readonly flags?: readonly string[];
  /** PEM files. With them, clients have to show a certificate of the same authority. */
  readonly tls?: { readonly caCert: string; readonly cert: string; readonly key: string };
}

interface Ports {
  readonly clientPort: number;
  readonly peerPort: number;
  readonly metricsPort: number;
}

/**
 * Why tests with a real etcd cannot run here; undefined when they can. Under CI=true a missing etcd is a failure, not a
 * reason to skip.
 */
export async function etcdMissing(): Promise<string | undefined> {
  if ((await findEtcd()) !== undefined) return undefined;
  const reason = 'no etcd binary found: apt-get install etcd-server';
  if (process.env['CI'] === 'true') throw new Error(reason);
  return reason;
}

/** A real etcd of one member for tests: own directory, free ports, quick elections (so that leases may be 1 s), no fsync. */
export class TestEtcd {
  readonly directory: string;
  readonly clientPort: number;
  readonly #ports: Ports;
  readonly #settings: TestEtcdSettings;
  #child: ChildProcess | undefined;

  static async start(settings: TestEtcdSettings = {}): Promise<TestEtcd> {
    const [clientPort = 0, peerPort = 0, metricsPort = 0] = await freePorts(3);
    const directory = await mkdtemp(join(tmpdir(), 'causeway-etcd-'));
    const etcd = new TestEtcd(directory, { clientPort, peerPort, metricsPort }, settings);
    await etcd.start();
    return etcd;
  }

  private constructor(directory: string, ports: Ports, settings: TestEtcdSettings) {
    this.directory = directory;
    this.clientPort = ports.clientPort;
    this.#ports = ports;
    this.#settings = settings;
  }

  get url(): string {
    return `${this.#settings.tls === undefined ? 'http' : 'https'}://127.0.0.1:${this.clientPort}`;
  }

  get peerUrl(): string {
    return `http://127.0.0.1:${this.#ports.peerPort}`;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts on the data of an earlier run, if there is any. Resolves when etcd serves. */
  async start(): Promise<void> {
    const binary = await findEtcd();
    if (binary === undefined) throw new Error('no etcd binary');
    const log = await open(this.#logPath, 'a');
    const child = spawn(binary, this.#flags(), { stdio: ['ignore', log.fd, log.fd] });
    this.#child = child;
    await log.close();
    let exited = false;
    child.once('exit', () => {
      exited = true;
    });
    while (!(await this.#isHealthy())) {
      if (exited) throw new Error(`etcd ended at once:\n${await readFile(this.#logPath, 'utf8')}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Sends SIGSTOP. Resolves when every thread has stopped: until then etcd may still answer. */
  async freeze(): Promise<void> {
    const tasks = `/proc/${this.#child?.pid}/task`;
    this.#child?.kill('SIGSTOP');
    const stopped = async (): Promise<boolean> => {
      const stats = (await readdir(tasks)).map((task) => readFile(`${tasks}/${task}/stat`, 'utf8'));
      // proc_pid_stat(5): pid (name) state.
      return (await Promise.all(stats)).every((stat) => stat.split(') ')[1]?.startsWith('T') === true);
    };
    while (!(await stopped())) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  unfreeze(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Ends etcd as a crash does; its data stays. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  /** Copies etcd's data while etcd is not running, to restore it later. */
  async backUp(): Promise<{ restore(): Promise<void> }> {
    const data = join(this.directory, 'data');
    const copy = await mkdtemp(join(this.directory, 'backup-'));
    await cp(data, copy, { recursive: true });
    return {
      restore: async () => {
        await rm(data, { recursive: true });
        await cp(copy, data, { recursive: true });
      },
    };
  }

  /** Ends etcd and removes its directory. */
  async stop(): Promise<void> {
    await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }

  /** Plain HTTP, even when clients have to use TLS. */
  get #healthUrl(): string {
    return `http://127.0.0.1:${this.#ports.metricsPort}`;
  }

  get #logPath(): string {
    return join(this.directory, 'log');
  }

  #flags(): readonly string[] {
    const { tls } = this.#settings;
    const peer = this.peerUrl;
    return [
      '--name=test',
      `--data-dir=${join(this.directory, 'data')}`,
      `--listen-client-urls=${this.url}`,
      `--advertise-client-urls=${this.url}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=test=${peer}`,
      `--listen-metrics-urls=${this.#healthUrl}`,
      ...(tls === undefined
        ? []
        : [
            `--cert-file=${tls.cert}`,
            `--key-file=${tls.key}`,
            `--trusted-ca-file=${tls.caCert}`,
            '--client-cert-auth',
          ]),
      '--heartbeat-interval=20',
      '--election-timeout=200',
      '--unsafe-no-fsync',
      '--log-level=warn',
      ...(this.#settings.flags ?? []),
    ];
  }

  async #isHealthy(): Promise<boolean> {
    try {
      const reply = await fetch(`${this.#healthUrl}/health`, { signal: AbortSignal.timeout(1_000) });
      return reply.ok;
    } catch {
      return false;
    }
  }
}
