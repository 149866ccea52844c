import { open, rename, stat } from 'node:fs/promises';
import { lastWords } from './last-words.ts';

/** etcd warns little; a log that has grown beyond this says the same thing over and over. */
const maxLogBytes = 16 * 1024 * 1024;

/** A panic's stack traces are long; what comes before them is what counts. */
const tailBytes = 64 * 1024;

/** What etcd says (server.go) when the others have told it that it is no member any more; it ends then. */
const removedWords = 'data-dir used by this member must be removed';

/** The file that etcd logs to, and what the run that was begun last has said there. */
export class EtcdLog {
  readonly path: string;
  #begun = 0;

  constructor(path: string) {
    this.path = path;
  }

  /** Of a run that was begun by another, only what it says from now on counts. */
  async skip(): Promise<void> {
    this.#begun = await sizeOf(this.path);
  }

  /** Before each run. */
  async begin(): Promise<void> {
    const size = await sizeOf(this.path);
    if (size > maxLogBytes) await rename(this.path, `${this.path}.1`);
    this.#begun = size > maxLogBytes ? 0 : size;
  }

  /** Why it ended. */
  async lastWords(): Promise<string> {
    return lastWords(await this.#tail());
  }

  /** Whether it ended because it was taken out of the cluster. */
  async saysRemoved(): Promise<boolean> {
    return (await this.#tail()).includes(removedWords);
  }

  async #tail(): Promise<string> {
    const size = await sizeOf(this.path);
    const start = Math.max(this.#begun, size - tailBytes);
    if (size <= start) return '';
    const file = await open(this.path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  }
}

function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}
