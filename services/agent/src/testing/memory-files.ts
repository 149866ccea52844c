import { CausewayError } from '@causeway/model';
import type { Files } from '../disk/files.ts';

/** A data directory in memory, which outlives the agent that uses it. Tests can cause the failures of a real directory. */
export class MemoryFiles implements Files {
  readonly directory: string;
  readonly contents = new Map<string, Uint8Array>();
  /** Maximum number of bytes in all files together. A write beyond it fails with "disk-full" and changes nothing. */
  capacity = Number.POSITIVE_INFINITY;
  /** Number of writes. */
  writes = 0;
  /** How and when a flush ends. */
  flushing: Promise<void> = Promise.resolve();
  /**
   * The next write fails after this many bytes. A write in place leaves the rest of the file as it was; a whole write
   * leaves nothing else.
   */
  tearNextAt: number | undefined;

  constructor(directory = '/var/lib/causeway') {
    this.directory = directory;
  }

  async open(): Promise<void> {
    if (this.capacity <= 0) throw this.#full();
  }

  async list(): Promise<readonly string[]> {
    return [...this.contents.keys()].sort();
  }

  async read(name: string): Promise<Uint8Array | undefined> {
    return this.contents.get(name)?.slice();
  }

  async write(name: string, bytes: Uint8Array): Promise<void> {
    this.#put(name, bytes, new Uint8Array());
  }

  async overwrite(name: string, bytes: Uint8Array): Promise<void> {
    this.#put(name, bytes, this.contents.get(name) ?? new Uint8Array());
  }

  async flush(): Promise<void> {
    await this.flushing;
  }

  async remove(name: string): Promise<void> {
    this.contents.delete(name);
  }

  #put(name: string, bytes: Uint8Array, before: Uint8Array): void {
    this.writes++;
    const written = bytes.subarray(0, this.tearNextAt);
    const after = new Uint8Array(Math.max(before.length, written.length));
    after.set(before);
    after.set(written);
    const others = [...this.contents].reduce((sum, [other, held]) => sum + (other === name ? 0 : held.length), 0);
    if (others + after.length > this.capacity) throw this.#full();
    this.contents.set(name, after);
    if (this.tearNextAt === undefined) return;
    this.tearNextAt = undefined;
    throw new Error('the power went off');
  }

  #full(): CausewayError {
    return new CausewayError('disk-full', `data directory ${this.directory}: its disk is full (ENOSPC)`, {
      directory: this.directory,
      errno: 'ENOSPC',
    });
  }
}
