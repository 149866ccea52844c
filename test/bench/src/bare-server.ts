import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type Credential, formatCertificates, formatPrivateKey } from '@causeway/identity';

const program = fileURLToPath(new URL('bare.js', import.meta.url));

export interface BareOrder {
  readonly key: string;
  readonly cert: string;
  readonly ca: string;
}

/** A server of node:tls alone, in a process of its own, which requires a certificate and sends one byte. */
export class BareServer {
  readonly address: string;
  readonly #process: ChildProcess;

  private constructor(address: string, process: ChildProcess) {
    this.address = address;
    this.#process = process;
  }

  static async start({ key, chain, trust }: Credential): Promise<BareServer> {
    const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] });
    // What a manager sends, too: its roots are part of the chain.
    const cert = formatCertificates([...chain, ...trust]);
    const order: BareOrder = { key: formatPrivateKey(key), cert, ca: formatCertificates(trust) };
    child.stdin.end(JSON.stringify(order));
    const [port] = (await once(child.stdout, 'data')) as [Buffer];
    return new BareServer(`127.0.0.1:${String(port).trim()}`, child);
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  async close(): Promise<void> {
    const gone = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    await gone;
  }
}
