import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Home } from '@causeway/enrollment';
import { DirectoryHome } from '@causeway/enrollment/io';
import { identityDirectory, writeSecretFile } from '@causeway/identity/io';
import { CausewayError, type ErrorCode, type Ip, parseIp, unwrap } from '@causeway/model';
import { findProgram } from '@causeway/runtime/io';
import type { Founded, Service, ThisHost } from '../this-host.ts';

/** Any address of another host: nothing is sent to it. 192.0.2.0/24 is for documentation (RFC 5737). */
const anyHost = '192.0.2.1';
/** A token has some 130 characters. */
const longestToken = 4_096;

/** This machine. `root`: the directory below which settings and data are; "/" for the machine itself. */
export class MachineHost implements ThisHost {
  readonly name = (hostname().split('.')[0] ?? '').slice(0, 63);
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  get isWritable(): boolean {
    return this.#root !== '/' || process.geteuid?.() === 0;
  }

  dataDir(service: Service): string {
    return join(this.#root, 'var/lib/causeway', service);
  }

  settingsFile(service: Service): string {
    return join(this.#root, 'etc/causeway', `${service}.env`);
  }

  async readSettings(service: Service): Promise<string> {
    return await readFile(this.settingsFile(service), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    });
  }

  async writeSettings(service: Service, settings: string): Promise<void> {
    await writeSecretFile(this.settingsFile(service), settings);
  }

  home(service: Service, dataDir: string): Home {
    const directory = identityDirectory(dataDir);
    return new DirectoryHome(
      service === 'agent' ? { directory } : { directory, sealingKey: join(dataDir, 'sealing-key.json') },
    );
  }

  async addressTowards(target = `${anyHost}:9`): Promise<Ip> {
    const [, name = '', port] = /^\[?(.*?)\]?:(\d+)$/.exec(target) ?? [];
    try {
      const { address, family } = await lookup(name);
      return await sourceAddress(family === 6 ? 'udp6' : 'udp4', address, Number(port));
    } catch (cause) {
      const message = `this host has no route to ${name}; give its address with --data-path or --listen`;
      throw new CausewayError('address-absent', message, { at: target }, { cause });
    }
  }

  async start(service: Service, anew: boolean): Promise<boolean> {
    if (!this.#hasSystemd) return false;
    const unit = `causeway-${service}`;
    await systemctl('enable', unit);
    await systemctl(anew ? 'restart' : 'start', unit);
    return true;
  }

  async stop(service: Service): Promise<boolean> {
    if (!this.#hasSystemd) return false;
    await systemctl('disable', '--now', `causeway-${service}`);
    return true;
  }

  async clear(service: Service, dataDir: string): Promise<void> {
    if (service === 'agent') await runProgram('causeway-agent', ['--reset', '--data-dir', dataDir]);
    else await rm(dataDir, { recursive: true, force: true });
  }

  async foundCluster(words: readonly string[]): Promise<Founded> {
    return JSON.parse(await runProgram('causeway-manager', ['init', ...words, '--output', 'json'])) as Founded;
  }

  async readToken(path: string): Promise<string> {
    if (path === '-') return await text(process.stdin);
    const content = await readFile(path, 'utf8').catch((cause: unknown) => {
      throw new CausewayError(
        'invalid-argument',
        `--token-file ${path}: cannot be read`,
        { field: '--token-file' },
        { cause },
      );
    });
    return content.slice(0, longestToken);
  }

  get #hasSystemd(): boolean {
    return this.#root === '/' && existsSync('/run/systemd/system');
  }
}

/** Exit codes of agents and managers that say more than that it failed. */
const codeOfStatus: Readonly<Record<number, ErrorCode>> = { 2: 'invalid-argument', 4: 'lock-held' };

/** As `ip route get ADDRESS` prints it after "src". A connected UDP socket has sent nothing. */
function sourceAddress(type: 'udp4' | 'udp6', address: string, port: number): Promise<Ip> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(type);
    socket.once('error', reject);
    socket.connect(port, address, () => {
      const source = socket.address().address;
      socket.close();
      resolve(unwrap(parseIp(source)));
    });
  });
}

/** Runs another program of the product, and gives what it prints. Its failure is a failure of this program. */
async function runProgram(name: string, words: readonly string[]): Promise<string> {
  const [program, ...args] = findProgram(name) ?? [];
  if (program === undefined) {
    const message = `${name} is neither beside this program nor on PATH: install it on this host first`;
    throw new CausewayError('capability-missing', message);
  }
  const { status, stdout, stderr } = await run(program, [...args, ...words]);
  if (status === 0) return stdout;
  const said = stderr.trim().replace(`${name}: `, '');
  throw new CausewayError(codeOfStatus[status] ?? 'internal', said === '' ? `${name} ended with ${status}` : said);
}

async function systemctl(...words: readonly string[]): Promise<void> {
  const { status, stderr } = await run('systemctl', words);
  if (status === 0) return;
  const message = `systemctl ${words.join(' ')} failed: ${stderr.trim()}; see: journalctl -u ${words.at(-1)}`;
  throw new CausewayError('internal', message);
}

interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(program: string, words: readonly string[]): Promise<Ended> {
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  const status = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { status: await status, stdout, stderr };
}
