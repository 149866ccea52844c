import { CausewayError } from '@causeway/model';
import type { Files } from '../assignments/files.ts';

/** A data directory in memory, with the accidents of a real one on demand. It survives the agent that used it. */
export class MemoryFiles implements Files {
  readonly directory: string;
  readonly contents = new Map<string, Uint8Array>();
  /** Bytes all files together may have; a write beyond fails with "disk-full" and changes nothing. */
  capacity = Number.POSITIVE_INFINITY;
  /** How many writes there were. */
  writes = 0;
  /** The next write leaves only so many bytes under the file's name and fails, as a disk without atomic renames would. */
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
    this.writes++;
    if (this.tearNextAt !== undefined) {
      this.contents.set(name, bytes.slice(0, this.tearNextAt));
      this.tearNextAt = undefined;
      throw new Error('the power went off');
    }
    const others = [...this.contents].reduce((sum, [other, held]) => sum + (other === name ? 0 : held.length), 0);
    if (others + bytes.length > this.capacity) throw this.#full();
    this.contents.set(name, bytes.slice());
  }

  async remove(name: string): Promise<void> {
    this.contents.delete(name);
  }

  #full(): CausewayError {
    return new CausewayError('disk-full', `data directory ${this.directory}: its disk is full (ENOSPC)`, {
      directory: this.directory,
      errno: 'ENOSPC',
    });
  }
}
