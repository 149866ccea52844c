import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { start, succeed } from '@causeway/lab/io';

const source = fileURLToPath(new URL('peer.go', import.meta.url));
const cache = fileURLToPath(new URL('../../.cache/go', import.meta.url));

/** Where Debian's golang-github-hashicorp-memberlist-dev has its code. */
const debianGo = '/usr/share/gocode';

/** Builds the program, unless this source was built before. Returns its path. */
export async function builtPeer(): Promise<string> {
  const hash = createHash('sha256')
    .update(await readFile(source))
    .digest('hex');
  const built = join(cache, `peer-${hash.slice(0, 16)}`);
  if (existsSync(built)) return built;
  await mkdir(cache, { recursive: true });
  const unfinished = `${built}.${process.pid}`;
  const env = { GO111MODULE: 'off', GOPATH: debianGo, GOCACHE: join(cache, 'build'), GOFLAGS: '' };
  const words = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  await succeed('go build', start('env', [...words, 'go', 'build', '-o', unfinished, source]).outcome);
  await rename(unfinished, built);
  return built;
}

/** What a peer says. */
interface Said {
  readonly type: string;
  readonly name?: string;
  readonly text?: string;
  readonly meta?: string;
  readonly alive?: readonly string[];
  readonly health?: number;
  readonly left?: boolean;
  readonly count?: number;
}

/** A node of Go's memberlist, in a process of its own. */
export class GoPeer {
  readonly said: Said[] = [];
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<unknown>;

  constructor(program: string, words: readonly string[]) {
    this.#process = spawn(program, words);
    this.#ended = once(this.#process, 'exit');
    this.#process.stdin.on('error', () => undefined);
    this.#process.stderr.resume();
    createInterface({ input: this.#process.stdout }).on('line', (line) => this.said.push(JSON.parse(line) as Said));
  }

  /** VERB WORDS: see peer.go. */
  tell(command: string): void {
    this.#process.stdin.write(`${command}\n`);
  }

  /** Whether the peer said this. */
  hasSaid(wanted: Said): boolean {
    const fields = Object.entries(wanted) as [keyof Said, unknown][];
    return this.said.some((each) => fields.every(([name, value]) => each[name] === value));
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#ended;
  }
}
