import type { NetnsIdentity, NetnsPath } from '@causeway/datapath';
import { type Log, Worker } from '@causeway/runtime';
import { AbFile } from './ab-file.ts';
import type { Files } from './files.ts';

/**
 * Which overlay namespaces the agent of this data directory has made, kept on disk. An agent with another directory has
 * another list: what it finds on its host and has not made is not its own to take apart.
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

  /** Without a list that can be read, what the kernel shows has to tell: that is no reason not to start. */
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

  /** Written meanwhile: should the process end before, the kernel shows whose it is. */
  add(path: NetnsPath, identity: NetnsIdentity): void {
    if (this.has(path, identity)) return;
    this.#made.set(path, identity);
    void this.#writer.poke();
  }

  remove(path: NetnsPath): void {
    if (this.#made.delete(path)) void this.#writer.poke();
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
