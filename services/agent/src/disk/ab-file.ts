import { CausewayError } from '@causeway/model';
import type { Log } from '@causeway/runtime';
import type { Files } from './files.ts';
import { decodeFrame, encodeFrame } from './frame.ts';

/**
 * A record that must survive any crash. It is written alternately to two files, `<kind>.a` and `<kind>.b`. Neither file
 * is written before the other is on disk, so there is always a good copy. Only one writer may write at a time.
 */
export class AbFile {
  readonly #files: Files;
  readonly #log: Log;
  readonly #kind: string;
  #sequence = 0;
  /** Whether the copy with this sequence is on disk. */
  #flushed: Promise<boolean> = Promise.resolve(true);

  constructor(modules: { readonly files: Files; readonly log: Log }, settings: { readonly kind: string }) {
    this.#files = modules.files;
    this.#log = modules.log;
    this.#kind = settings.kind;
  }

  /**
   * Returns the newest undamaged copy; undefined when none was ever written. Throws "data-damaged" when there are only
   * damaged copies. Throws "data-too-new" when a later agent wrote a copy: the other copy is older, so its use would lose
   * changes.
   */
  async load(): Promise<Uint8Array | undefined> {
    let newest: Uint8Array | undefined;
    let damage: string | undefined;
    for (const name of [`${this.#kind}.a`, `${this.#kind}.b`]) {
      const bytes = await this.#files.read(name);
      if (bytes === undefined) continue;
      const frame = decodeFrame(bytes);
      if (!frame.ok && frame.error.code === 'data-too-new') throw this.#tooNew(name, frame.error);
      if (!frame.ok || frame.value.kind !== this.#kind) {
        damage = `${name}: ${frame.ok ? `holds ${frame.value.kind}` : frame.error.message}`;
        this.#log.error('ledger.damaged', { file: name, message: damage });
      } else if (newest === undefined || frame.value.sequence > this.#sequence) {
        newest = frame.value.payload;
        this.#sequence = frame.value.sequence;
      }
    }
    if (newest === undefined && damage !== undefined) {
      const message = `data directory ${this.#files.directory} is damaged (${damage}): restore it, or give the host an empty one and attach its containers anew`;
      throw new CausewayError('data-damaged', message, { directory: this.#files.directory });
    }
    // The process that wrote this copy may have died before the copy was flushed.
    if (newest !== undefined) this.#flushed = this.#flush(this.#nameOf(this.#sequence));
    return newest;
  }

  /**
   * When this resolves, the payload survives the end of this process. It survives the end of the machine once it is on
   * disk: see `flushed`.
   */
  async save(payload: Uint8Array): Promise<void> {
    // A copy that did not reach the disk is overwritten, and the copy before it is kept.
    const sequence = this.#sequence + ((await this.#flushed) ? 1 : 2);
    const name = this.#nameOf(sequence);
    await this.#files.overwrite(name, encodeFrame({ kind: this.#kind, sequence, payload }));
    this.#sequence = sequence;
    this.#flushed = this.#flush(name);
  }

  /**
   * Resolves when the last saved payload is on disk. @throws CausewayError internal, when the disk did not take the
   * payload
   */
  async flushed(): Promise<void> {
    if (await this.#flushed) return;
    const name = this.#nameOf(this.#sequence);
    const message = `data directory ${this.#files.directory}: its disk did not store ${name}`;
    throw new CausewayError('internal', message, { directory: this.#files.directory });
  }

  /** Calls `write`, which saves the record, when the newest copy was removed while the agent runs. */
  async keep(write: () => Promise<void>): Promise<void> {
    const name = this.#nameOf(this.#sequence);
    if (this.#sequence === 0 || (await this.#files.list()).includes(name)) return;
    this.#log.error('ledger.lost', {
      file: name,
      message: 'the file was removed while the agent runs: it is written again',
    });
    await write();
  }

  async #flush(name: string): Promise<boolean> {
    try {
      await this.#files.flush(name);
      return true;
    } catch (error) {
      this.#log.warn('ledger.not-flushed', { file: name, message: String(error) });
      return false;
    }
  }

  #tooNew(name: string, cause: CausewayError): CausewayError {
    const message = `data directory ${this.#files.directory}: a newer version of the agent has used it (${name}: ${cause.message}); start that version again, the containers keep their interfaces until then`;
    return new CausewayError('data-too-new', message, { directory: this.#files.directory }, { cause });
  }

  #nameOf(sequence: number): string {
    return `${this.#kind}.${sequence % 2 === 0 ? 'a' : 'b'}`;
  }
}
