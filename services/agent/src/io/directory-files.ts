import { randomUUID } from 'node:crypto';
import { type FileHandle, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CausewayError, isCausewayError } from '@causeway/model';
import { makeDirectory } from '@causeway/runtime/io';
import type { Files } from '../disk/files.ts';

const temporary = '.tmp';

/** What an error of the file system means to a person, by errno. Other errors pass unchanged. */
const meanings: Readonly<Record<string, { code: 'disk-full' | 'permission-denied'; what: string }>> = {
  ENOSPC: { code: 'disk-full', what: 'its disk is full' },
  EDQUOT: { code: 'disk-full', what: 'its disk quota is used up' },
  EACCES: { code: 'permission-denied', what: 'it is not writable' },
  EPERM: { code: 'permission-denied', what: 'it is not writable' },
  EROFS: { code: 'permission-denied', what: 'its file system is read-only' },
  ENOENT: { code: 'permission-denied', what: 'it cannot be made' },
  ENOTDIR: { code: 'permission-denied', what: 'it is not a directory' },
};

/** Files of one directory. A whole write goes to a temporary name, is synced and renamed, and the rename is synced too. */
export class DirectoryFiles implements Files {
  readonly directory: string;
  /** Overwritten files, until they are flushed: a flush needs no second open. */
  readonly #overwritten = new Map<string, FileHandle>();

  constructor(directory: string) {
    this.directory = directory;
  }

  async open(): Promise<void> {
    try {
      await this.#explain(() => this.#prove());
    } catch (cause) {
      if (!isCausewayError(cause, 'permission-denied')) throw cause;
      const message = `--data-dir: ${cause.message}; name a directory that this user may write to`;
      throw new CausewayError('invalid-argument', message, { ...cause.data, field: '--data-dir' }, { cause });
    }
  }

  list(): Promise<readonly string[]> {
    return this.#explain(async () =>
      (await readdir(this.directory)).filter((name) => !name.endsWith(temporary)).sort(),
    );
  }

  read(name: string): Promise<Uint8Array | undefined> {
    return this.#explain(async () => {
      const bytes = await readFile(join(this.directory, name)).catch(unlessAbsent);
      return bytes && new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    });
  }

  write(name: string, bytes: Uint8Array): Promise<void> {
    return this.#explain(async () => {
      const path = await this.#writeTemporary(bytes);
      await rename(path, join(this.directory, name));
      await this.#syncDirectory();
    });
  }

  overwrite(name: string, bytes: Uint8Array): Promise<void> {
    return this.#explain(async () => {
      const file = await open(join(this.directory, name), 'r+').catch(unlessAbsent);
      if (file === undefined) return await this.write(name, bytes);
      try {
        await file.writeFile(bytes);
      } catch (error) {
        await file.close();
        throw error;
      }
      await this.#overwritten.get(name)?.close();
      this.#overwritten.set(name, file);
    });
  }

  flush(name: string): Promise<void> {
    return this.#explain(async () => {
      const file = this.#overwritten.get(name) ?? (await open(join(this.directory, name), 'r+').catch(unlessAbsent));
      this.#overwritten.delete(name);
      try {
        await file?.datasync();
      } finally {
        await file?.close();
      }
    });
  }

  remove(name: string): Promise<void> {
    return this.#explain(async () => {
      await rm(join(this.directory, name), { force: true });
      await this.#syncDirectory();
    });
  }

  async #prove(): Promise<void> {
    await makeDirectory(this.directory, 0o700);
    for (const name of await readdir(this.directory)) {
      if (name.endsWith(temporary)) await rm(join(this.directory, name), { force: true });
    }
    await this.#writeTemporary(new Uint8Array(1)).then((path) => rm(path));
  }

  async #writeTemporary(bytes: Uint8Array): Promise<string> {
    const path = join(this.directory, `${randomUUID()}${temporary}`);
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
      await file.close();
    } catch (error) {
      await file.close().catch(() => undefined);
      await rm(path, { force: true });
      throw error;
    }
    return path;
  }

  async #syncDirectory(): Promise<void> {
    const directory = await open(this.directory, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }

  async #explain<Value>(work: () => Promise<Value>): Promise<Value> {
    try {
      return await work();
    } catch (error) {
      const errno = (error as NodeJS.ErrnoException).code ?? '';
      const meaning = meanings[errno];
      if (meaning === undefined) throw error;
      const message = `data directory ${this.directory}: ${meaning.what} (${errno})`;
      throw new CausewayError(meaning.code, message, { directory: this.directory, errno }, { cause: error });
    }
  }
}

function unlessAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}
