import { appendFile, readFile, rename, writeFile } from 'node:fs/promises';
import { type Restored, replayed, type SnapshotRecord } from '../snapshot.ts';
import { lineOf, parseSnapshot } from './snapshot-text.ts';

interface Pending {
  readonly how: 'append' | 'replace';
  readonly text: string;
}

/** The snapshot of a node on disk. Writes one after the other, in the background. */
export class SnapshotFile {
  readonly restored: Restored;
  readonly #path: string;
  #onError: (why: string) => void = () => undefined;
  #pending: Pending | undefined;
  #writing: Promise<void> | undefined;

  private constructor(path: string, restored: Restored) {
    this.#path = path;
    this.restored = restored;
  }

  /** A file that does not exist yet is an empty snapshot. `rejoins`: also after a leave. */
  static async open(path: string, rejoins: boolean): Promise<SnapshotFile> {
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
      throw error;
    });
    return new SnapshotFile(path, replayed(parseSnapshot(text), rejoins));
  }

  /** From now on, the reasons why something could not be written go there. */
  onError(tell: (why: string) => void): void {
    this.#onError = tell;
  }

  write(how: 'append' | 'replace', records: readonly SnapshotRecord[]): void {
    const text = records.map(lineOf).join('');
    const before = this.#pending;
    if (how === 'replace' || before === undefined) this.#pending = { how, text };
    else this.#pending = { how: before.how, text: before.text + text };
    this.#writing ??= this.#writeAll();
  }

  /** Resolves when all is written. */
  async close(): Promise<void> {
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    for (let next = this.#pending; next !== undefined; next = this.#pending) {
      this.#pending = undefined;
      try {
        await this.#writeOne(next);
      } catch (error) {
        this.#onError((error as Error).message);
      }
    }
    this.#writing = undefined;
  }

  async #writeOne({ how, text }: Pending): Promise<void> {
    if (how === 'append') {
      await appendFile(this.#path, text);
      return;
    }
    // A crash leaves the former file or the new one, never a part of one.
    const whole = `${this.#path}.compact`;
    await writeFile(whole, text);
    await rename(whole, this.#path);
  }
}
