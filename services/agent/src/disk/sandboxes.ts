import type { EndpointId, NetworkId } from '@causeway/model';
import { type Log, Worker } from '@causeway/runtime';
import { AbFile } from './ab-file.ts';
import type { Files } from './files.ts';
import { decodeSandboxes, encodeSandboxes, type Sandbox } from './sandbox.ts';

/** `before`: what was there; undefined: the sandbox is new. */
export interface SandboxChange {
  readonly networkId: NetworkId;
  readonly endpointId: EndpointId;
  readonly before: Sandbox | undefined;
}

interface Waiting {
  /** Absent: what is in memory is to be written as it is. */
  readonly added: Sandbox | undefined;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** This host's sandboxes, in memory and on disk. Changes that arrive while a write is under way share the next one. */
export class Sandboxes {
  readonly #file: AbFile;
  readonly #log: Log;
  readonly #records = new Map<EndpointId, Sandbox>();
  readonly #listeners: ((change: SandboxChange) => void)[] = [];
  readonly #writer = new Worker(() => this.#write());
  /** Those that are being removed. */
  readonly #leaving = new Map<EndpointId, Promise<void>>();
  #waiting: Waiting[] = [];

  constructor(modules: { readonly files: Files; readonly log: Log }) {
    // No save waits for the disk: containers do not outlive the machine, so after a crash of it there is nothing to know.
    this.#file = new AbFile(modules, { kind: 'sandboxes' });
    this.#log = modules.log;
  }

  onChange(listener: (change: SandboxChange) => void): void {
    this.#listeners.push(listener);
  }

  async load(): Promise<void> {
    const bytes = await this.#file.load();
    for (const sandbox of bytes === undefined ? [] : decodeSandboxes(bytes)) {
      this.#records.set(sandbox.endpoint.id, sandbox);
    }
  }

  async stop(): Promise<void> {
    await this.#writer.poke();
    await this.#writer.stop();
  }

  get(id: EndpointId): Sandbox | undefined {
    return this.#records.get(id);
  }

  all(): Iterable<Sandbox> {
    return this.#records.values();
  }

  of(networkId: NetworkId): readonly Sandbox[] {
    return Array.from(this.#records.values()).filter((sandbox) => sandbox.endpoint.network === networkId);
  }

  /** Seen by others once it is on disk; throws "disk-full" and the like, and then nothing was added. */
  async add(sandbox: Sandbox): Promise<void> {
    await this.#save(sandbox);
  }

  /** What is known of sandboxes that are there has changed. Seen by others at once: the next start finds it out again. */
  async change(changed: readonly Sandbox[]): Promise<void> {
    const known = changed.filter(({ endpoint }) => this.#records.has(endpoint.id));
    if (known.length === 0) return;
    for (const sandbox of known) this.#set(sandbox.endpoint.id, sandbox);
    await this.#saveOrWarn();
  }

  /**
   * Gone for others once it is so on disk: what the managers are told to have left the kernel, and give to others, must not
   * come back with the next start. A disk that refuses does not keep a container's leftovers alive all the same.
   */
  async remove(id: EndpointId): Promise<void> {
    if (!this.#records.has(id)) return;
    const removal = this.#leaving.get(id) ?? this.#remove(id);
    this.#leaving.set(id, removal);
    await removal;
  }

  async #remove(id: EndpointId): Promise<void> {
    await Promise.resolve(); // it is among those that leave by then
    await this.#saveOrWarn();
    this.#leaving.delete(id);
    this.#set(id, undefined);
  }

  #set(id: EndpointId, sandbox: Sandbox | undefined): void {
    const before = this.#records.get(id);
    if (sandbox === undefined) this.#records.delete(id);
    else this.#records.set(id, sandbox);
    const networkId = (sandbox ?? before)?.endpoint.network;
    if (networkId === undefined) return;
    for (const listener of this.#listeners) listener({ networkId, endpointId: id, before });
  }

  #save(added: Sandbox | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ added, resolve, reject });
      void this.#writer.poke();
    });
  }

  async #saveOrWarn(): Promise<void> {
    try {
      await this.#save(undefined);
    } catch (error) {
      this.#log.warn('ledger.not-written', { message: String(error) });
    }
  }

  async #write(): Promise<void> {
    const group = this.#waiting;
    this.#waiting = [];
    if (group.length === 0) return;
    const added = group.flatMap((waiting) => waiting.added ?? []);
    try {
      const staying = [...this.#records.values()].filter(({ endpoint }) => !this.#leaving.has(endpoint.id));
      await this.#file.save(encodeSandboxes([...staying, ...added]));
      for (const sandbox of added) this.#set(sandbox.endpoint.id, sandbox);
      for (const waiting of group) waiting.resolve();
    } catch (error) {
      for (const waiting of group) waiting.reject(error);
    }
  }
}
