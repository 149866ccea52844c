import { readdir, readFile, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Home } from '@causeway/enrollment';
import { DirectoryHome } from '@causeway/enrollment/io';
import { readCredential, writeSecretFile } from '@causeway/identity/io';
import { CausewayError, isCausewayError } from '@causeway/model';
import type { Contexts, State, StoredContext } from '../contexts.ts';

/** Where the contexts of this user are: a directory for each, and a file that names the chosen one. */
export function contextsDirectory(environment: NodeJS.ProcessEnv): string {
  return join(environment['XDG_CONFIG_HOME'] ?? join(homedir(), '.config'), 'causeway');
}

export class ContextDirectory implements Contexts {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async all(): Promise<readonly StoredContext[]> {
    const entries = await readdir(this.#directory, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    const all = await Promise.all(names.sort().map(async (name) => ({ name, state: await this.#stateOf(name) })));
    return all.flatMap(({ name, state }) => (state === undefined ? [] : [{ name, state }]));
  }

  async chosen(): Promise<string | undefined> {
    const name = await readFile(this.#current, 'utf8').catch(() => '');
    return name.trim() === '' ? undefined : name.trim();
  }

  async use(name: string): Promise<void> {
    await writeSecretFile(this.#current, `${name}\n`);
  }

  async remove(name: string): Promise<void> {
    await rm(this.#pathOf(name), { recursive: true });
    if ((await this.chosen()) === name) await rm(this.#current, { force: true });
  }

  home(name: string): Home {
    return new DirectoryHome({ directory: this.#pathOf(name) });
  }

  /** Undefined: there is no credential, for instance because a token was refused. */
  async #stateOf(name: string): Promise<State | undefined> {
    try {
      const membership = await this.home(name).read();
      if (membership === undefined) return undefined;
      const { chain } = await readCredential(this.#pathOf(name));
      return { kind: 'whole', holder: membership.name, managers: membership.managers, expires: chain[0].notAfter };
    } catch (error) {
      if (isCausewayError(error)) return { kind: 'damaged', why: error.message };
      throw error;
    }
  }

  get #current(): string {
    return join(this.#directory, 'current');
  }

  /** @throws CausewayError invalid-argument: the name is not that of a directory in this one */
  #pathOf(name: string): string {
    if (!name.includes('/') && name !== '.' && name !== '..' && name !== '') return join(this.#directory, name);
    throw new CausewayError('invalid-argument', `"${name}" is not the name of a context`, { field: 'name' });
  }
}
