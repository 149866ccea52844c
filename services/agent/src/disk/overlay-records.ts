import type { NetnsIdentity, NetnsPath } from '@causeway/datapath';
import { type Log, Worker } from '@causeway/runtime';
import { AbFile } from './ab-file.ts';
import type { Files } from './files.ts';

/**
 * The list of the overlay namespaces that the agent of this data directory has made, kept on disk. An agent with another
 * data directory has another list. It must not remove an overlay that is not in its list.
 */
export class OverlayRecords {
  readonly #file: AbFile;
  readonly #log: Log;
  readonly #made = new Map<NetnsPath, NetnsIdentity>();
  readonly #writer = new Worker(() => this.#write());

  constructor(modules: { readonly files: Files; readonly log: Log }) {
    this.#file = new AbFile(modules, { kind: 'overlays' });
    this.#log = modules.log;
  }

  /** A list that cannot be read does not prevent the start: the agent then decides by the state of the kernel. */
  async load(): Promise<void> {
    try {
      const bytes = await this.#file.load();
      if (bytes === undefined) return;
      const made = JSON.parse(new TextDecoder().decode(bytes)) as Record<NetnsPath, NetnsIdentity>;
      for (const [path, identity] of Object.entries(made)) this.#made.set(path as NetnsPath, identity);
    } catch (error) {
      this.#log.error('ledger.damaged', { file: 'overlays', message: String(error) });
    }
  }

  has(path: NetnsPath, identity: NetnsIdentity): boolean {
    return this.#made.get(path) === identity;
  }

  /**
   * Written in the background. If the process ends before the write, the state of the kernel shows whose overlay it is.
   */
  add(path: NetnsPath, identity: NetnsIdentity): void {
    if (this.has(path, identity)) return;
    this.#made.set(path, identity);
    void this.#writer.poke();
  }

  remove(path: NetnsPath): void {
    if (this.#made.delete(path)) void this.#writer.poke();
  }

  /** See `restoreFiles`. */
  async keep(): Promise<void> {
    await this.#file.keep(() => this.#writer.poke());
  }

  async stop(): Promise<void> {
    await this.#writer.poke();
    await this.#writer.stop();
  }

  async #write(): Promise<void> {
    try {
      await this.#file.save(new TextEncoder().encode(JSON.stringify(Object.fromEntries(this.#made))));
    } catch (error) {
      this.#log.warn('ledger.not-written', { file: 'overlays', message: String(error) });
    }
  }
}
