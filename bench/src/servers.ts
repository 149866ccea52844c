import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ManagerClient } from './clients.ts';
import { until } from './work.ts';

const managerProgram = fileURLToPath(new URL('../../services/manager/dist/main.js', import.meta.url));

/** Real etcd and a real manager on the loopback, without hosts. */
export class Servers {
  readonly address: string;
  readonly etcdUrl: string;
  readonly #dir: string;
  readonly #etcd: ChildProcess;
  #manager: ChildProcess | undefined;

  private constructor(ports: { manager: number; client: number; peer: number }) {
    this.#dir = mkdtempSync(join(tmpdir(), 'causeway-bench-'));
    this.address = `127.0.0.1:${ports.manager}`;
    this.etcdUrl = `http://127.0.0.1:${ports.client}`;
    const peer = `http://127.0.0.1:${ports.peer}`;
    this.#etcd = spawn(
      'etcd',
      [
        ...['--data-dir', join(this.#dir, 'etcd'), '--log-level', 'error'],
        ...['--listen-client-urls', this.etcdUrl, '--advertise-client-urls', this.etcdUrl],
        ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `default=${peer}`],
      ],
      { stdio: 'ignore' },
    );
  }

  static async create(): Promise<Servers> {
    return new Servers({ manager: await freePort(), client: await freePort(), peer: await freePort() });
  }

  get manager(): number {
    return this.#manager?.pid ?? 0;
  }

  get etcd(): number {
    return this.#etcd.pid ?? 0;
  }

  /** Resolves when the manager leads. */
  async startManager(): Promise<void> {
    const client = new ManagerClient(this.address);
    const started = Date.now();
    const options = ['--name', 'm1', '--listen', this.address, '--data-dir', this.#dir, '--etcd', this.etcdUrl];
    this.#manager = spawn(process.execPath, [managerProgram, ...options, '--log-level', 'error'], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    try {
      await until('the manager leads', 30_000, async () => {
        const { leader } = await client.status(1000).catch(() => ({ leader: undefined }));
        return leader?.address === this.address && Number(leader.sinceMs) >= started;
      });
    } finally {
      client.close();
    }
  }

  async stopManager(): Promise<void> {
    await stop(this.#manager);
  }

  async close(): Promise<void> {
    await stop(this.#manager);
    await stop(this.#etcd);
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

async function stop(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
