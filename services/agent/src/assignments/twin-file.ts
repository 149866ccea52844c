import { CausewayError } from '@causeway/model';
import type { Log } from '@causeway/runtime';
import type { Files } from './files.ts';
import { decodeFrame, encodeFrame } from './frame.ts';

/**
 * A record that must survive anything: written in turn to two files, `<kind>.a` and `<kind>.b`, so that while one is
 * being written the other is the last good copy. One writer at a time.
 */
export class TwinFile {
  readonly #files: Files;
  readonly #log: Log;
  readonly #kind: string;
  #sequence = 0;

  constructor(modules: { readonly files: Files; readonly log: Log }, settings: { readonly kind: string }) {
    this.#files = modules.files;
    this.#log = modules.log;
    this.#kind = settings.kind;
  }

  /** The newest whole copy; undefined when none was ever written. Throws "data-damaged" when there are only damaged ones. */
  async load(): Promise<Uint8Array | undefined> {
    let newest: Uint8Array | undefined;
    let damage: string | undefined;
    for (const name of [`${this.#kind}.a`, `${this.#kind}.b`]) {
      const bytes = await this.#files.read(name);
      if (bytes === undefined) continue;
      const frame = decodeFrame(bytes);
      if (!frame.ok || frame.value.kind !== this.#kind) {
        damage = `${name}: ${frame.ok ? `holds ${frame.value.kind}` : frame.error}`;
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
    return newest;
  }

  async save(payload: Uint8Array): Promise<void> {
    const sequence = this.#sequence + 1;
    const name = `${this.#kind}.${sequence % 2 === 0 ? 'a' : 'b'}`;
    await this.#files.write(name, encodeFrame({ kind: this.#kind, sequence, payload }));
    this.#sequence = sequence;
  }
}
