import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ManagerClient } from './clients.ts';
import { Members } from './members.ts';
import { until } from './work.ts';

const managerProgram = fileURLToPath(new URL('../../../services/manager/dist/main.js', import.meta.url));

/** The same limit as in the etcd that a manager starts itself. */
const txnOps = '1000';

/** A real etcd with the given number of members, and a real manager, on the loopback interface, without hosts. */
export class Servers {
  readonly address: string;
  readonly etcdUrls: readonly string[];
  readonly members: Members;
  readonly #dir: string;
  readonly #etcds: readonly ChildProcess[];
  #manager: ChildProcess | undefined;

  private constructor(managerPort: number, etcdPorts: readonly EtcdPorts[]) {
    this.#dir = mkdtempSync(join(tmpdir(), 'causeway-bench-'));
    this.address = `127.0.0.1:${managerPort}`;
    this.members = new Members(managerProgram, { directory: this.#dir, listen: this.address });
    this.etcdUrls = etcdPorts.map(({ client }) => url(client));
    const cluster = etcdPorts.map(({ peer }, i) => `e${i}=${url(peer)}`).join(',');
    this.#etcds = etcdPorts.map(({ client, peer }, i) => {
      const options = [
        ...['--max-txn-ops', txnOps],
        ...['--name', `e${i}`, '--data-dir', join(this.#dir, `etcd${i}`), '--log-level', 'error'],
        ...['--listen-client-urls', url(client), '--advertise-client-urls', url(client)],
        ...['--listen-peer-urls', url(peer), '--initial-advertise-peer-urls', url(peer), '--initial-cluster', cluster],
      ];
      return spawn('etcd', options, { stdio: 'ignore' });
    });
  }

  static async create(etcdMembers = 1): Promise<Servers> {
    const etcdPorts: EtcdPorts[] = [];
    for (let i = 0; i < etcdMembers; i++) etcdPorts.push({ client: await freePort(), peer: await freePort() });
    return new Servers(await freePort(), etcdPorts);
  }

  get manager(): number {
    return this.#manager?.pid ?? 0;
  }

  get etcds(): readonly number[] {
    return this.#etcds.map(({ pid }) => pid ?? 0);
  }

  /** Resolves when the manager leads. */
  async startManager(): Promise<void> {
    const client = new ManagerClient(this.address, this.members.forwarder());
    const started = Date.now();
    const etcd = ['--etcd', this.etcdUrls.join(','), '--etcd-max-txn-ops', txnOps];
    const options = ['--name', 'm1', '--listen', this.address, '--data-dir', join(this.#dir, 'manager'), ...etcd];
    this.#manager = spawn(process.execPath, [managerProgram, ...options, '--log-level', 'error'], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    try {
      await until('the manager leads', 60_000, async () => {
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

  /** Like a crash: the manager says nothing to its agents, and its lease goes on. */
  async killManager(): Promise<void> {
    await stop(this.#manager, 'SIGKILL');
  }

  async close(): Promise<void> {
    await stop(this.#manager);
    await Promise.all(this.#etcds.map((etcd) => stop(etcd)));
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

interface EtcdPorts {
  readonly client: number;
  readonly peer: number;
}

function url(port: number): string {
  return `http://127.0.0.1:${port}`;
}

async function stop(child: ChildProcess | undefined, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
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
