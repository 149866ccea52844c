import { open, rename, stat } from 'node:fs/promises';
import { exitReason } from './exit-reason.ts';

/** etcd logs few warnings. A log that has grown beyond this repeats the same messages. */
const maxLogBytes = 16 * 1024 * 1024;

/** Bytes read from the end of the log. A panic's stack traces are long, and the lines before them count. */
const tailBytes = 64 * 1024;

/** etcd's message (server.go) of a member that was removed from the cluster. etcd ends then. */
const removedWords = 'data-dir used by this member must be removed';

/** The file that etcd logs to, and where in it the latest run begins. */
export class EtcdLog {
  readonly path: string;
  #begun = 0;

  constructor(path: string) {
    this.path = path;
  }

  /** Call for an adopted run: only what etcd logs from now on counts. */
  async skip(): Promise<void> {
    this.#begun = await sizeOf(this.path);
  }

  /** Call before each run. */
  async begin(): Promise<void> {
    const size = await sizeOf(this.path);
    if (size > maxLogBytes) await rename(this.path, `${this.path}.1`);
    this.#begun = size > maxLogBytes ? 0 : size;
  }

  /** Why etcd ended. */
  async exitReason(): Promise<string> {
    return exitReason(await this.#tail());
  }

  /** Whether etcd ended because it was removed from the cluster. */
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
