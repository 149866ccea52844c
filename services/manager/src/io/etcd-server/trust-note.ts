import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatPins, parseTrustBundle } from '@causeway/identity';

interface TrustNotePaths {
  /** The manager's data directory. */
  readonly dataDir: string;
  /** The file from which etcd reads the roots when it starts. */
  readonly roots: string;
}

/** Which roots the running etcd has read. etcd outlives its manager, so this is noted on disk. */
export class TrustNote {
  readonly #note: string;
  readonly #roots: string;
  #read = '';

  constructor({ dataDir, roots }: TrustNotePaths) {
    this.#note = join(dataDir, 'etcd.trust');
    this.#roots = roots;
  }

  /** As `formatPins`; empty: not known. */
  get read(): string {
    return this.#read;
  }

  /** Call just before etcd starts. If the file changes right then, etcd is taken to have read the former roots. */
  async note(): Promise<void> {
    const roots = parseTrustBundle(await readFile(this.#roots, 'utf8').catch(() => ''));
    this.#read = roots.ok ? formatPins(roots.value) : '';
    await writeFile(this.#note, this.#read);
  }

  /** Call when an etcd is adopted that an earlier process of this manager has started. */
  async recall(): Promise<void> {
    this.#read = await readFile(this.#note, 'utf8').catch(() => '');
  }
}
