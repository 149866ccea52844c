import type { NetnsIdentity } from '@causeway/datapath';
import type { EndpointId, Name, NetworkId, RequestId } from '@causeway/model';
import { type Log, Worker } from '@causeway/runtime';
import { AbFile } from './ab-file.ts';
import type { Files } from './files.ts';
import { decodeSandboxes, type Sandbox } from './sandbox.ts';
import { SandboxBytes } from './sandbox-bytes.ts';

/** `before`: the sandbox before the change; undefined: the sandbox is new. */
export interface SandboxChange {
  readonly networkId: NetworkId;
  readonly endpointId: EndpointId;
  readonly before: Sandbox | undefined;
}

interface Waiting {
  /** Absent: the sandboxes in memory are to be written as they are. */
  readonly added: Sandbox | undefined;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** This host's sandboxes, in memory and on disk. Changes that arrive during a write share the next write. */
export class Sandboxes {
  readonly #file: AbFile;
  readonly #log: Log;
  readonly #bytes = new SandboxBytes();
  readonly #records = new Map<EndpointId, Sandbox>();
  readonly #byNetwork = new Groups<NetworkId>();
  readonly #byContainer = new Groups<NetnsIdentity>();
  readonly #byName = new Groups<Name>();
  readonly #byRequest = new Groups<RequestId>();
  readonly #listeners: ((change: SandboxChange) => void)[] = [];
  readonly #writer = new Worker(() => this.#write());
  /** Sandboxes that are being removed. */
  readonly #leaving = new Map<EndpointId, Promise<void>>();
  #waiting: Waiting[] = [];

  constructor(modules: { readonly files: Files; readonly log: Log }) {
    // No save waits for the disk: containers do not survive a crash of the machine, so their records need not survive it
    // either.
    this.#file = new AbFile(modules, { kind: 'sandboxes' });
    this.#log = modules.log;
  }

  onChange(listener: (change: SandboxChange) => void): void {
    this.#listeners.push(listener);
  }

  async load(): Promise<void> {
    const bytes = await this.#file.load();
    for (const sandbox of bytes === undefined ? [] : decodeSandboxes(bytes)) {
      this.#keep(sandbox);
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
    return this.#byNetwork.get(networkId);
  }

  /** The sandboxes of one container, on all networks. */
  in(container: NetnsIdentity): readonly Sandbox[] {
    return this.#byContainer.get(container);
  }

  /** The sandboxes of endpoints with this name; each is on another network. */
  named(name: Name): readonly Sandbox[] {
    return this.#byName.get(name);
  }

  /** The sandboxes that the attach with this request id has made. */
  madeBy(requestId: RequestId): readonly Sandbox[] {
    return this.#byRequest.get(requestId);
  }

  /** Others see the sandbox once it is written. On an error such as "disk-full", nothing is added. */
  async add(sandbox: Sandbox): Promise<void> {
    await this.#save(sandbox);
  }

  /**
   * Changes what is known about existing sandboxes. Others see the change at once: if it is lost, the next start finds it
   * out again.
   */
  async change(changed: readonly Sandbox[]): Promise<void> {
    const known = changed.filter(({ endpoint }) => this.#records.has(endpoint.id));
    if (known.length === 0) return;
    for (const sandbox of known) this.#set(sandbox.endpoint.id, sandbox);
    await this.#saveOrWarn();
  }

  /**
   * Other parts see the removal once it is written. The agent reports that the sandbox has left the kernel, and managers
   * give its address to others, so the sandbox must not come back at the next start. When the disk refuses the write, the
   * sandbox is removed all the same.
   */
  async remove(id: EndpointId): Promise<void> {
    if (!this.#records.has(id)) return;
    const removal = this.#leaving.get(id) ?? this.#remove(id);
    this.#leaving.set(id, removal);
    await removal;
  }

  /** See `restoreFiles`. */
  async keep(): Promise<void> {
    await this.#file.keep(() => this.#saveOrWarn());
  }

  async #remove(id: EndpointId): Promise<void> {
    await Promise.resolve(); // by then, #leaving has the id
    await this.#saveOrWarn();
    this.#leaving.delete(id);
    this.#set(id, undefined);
  }

  #set(id: EndpointId, sandbox: Sandbox | undefined): void {
    const before = this.#records.get(id);
    if (before !== undefined) this.#drop(before);
    if (sandbox !== undefined) this.#keep(sandbox);
    const networkId = (sandbox ?? before)?.endpoint.network;
    if (networkId === undefined) return;
    for (const listener of this.#listeners) listener({ networkId, endpointId: id, before });
  }

  #keep(sandbox: Sandbox): void {
    this.#records.set(sandbox.endpoint.id, sandbox);
    this.#byNetwork.add(sandbox.endpoint.network, sandbox);
    this.#byContainer.add(sandbox.identity, sandbox);
    this.#byName.add(sandbox.endpoint.name, sandbox);
    this.#byRequest.add(sandbox.requestId, sandbox);
  }

  #drop(sandbox: Sandbox): void {
    this.#records.delete(sandbox.endpoint.id);
    this.#byNetwork.remove(sandbox.endpoint.network, sandbox);
    this.#byContainer.remove(sandbox.identity, sandbox);
    this.#byName.remove(sandbox.endpoint.name, sandbox);
    this.#byRequest.remove(sandbox.requestId, sandbox);
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
      await this.#file.save(this.#bytes.of([...staying, ...added]));
      for (const sandbox of added) this.#set(sandbox.endpoint.id, sandbox);
      for (const waiting of group) waiting.resolve();
    } catch (error) {
      for (const waiting of group) waiting.reject(error);
    }
  }
}

/** Sandboxes by a key that several have. An attach looks up those with one key, of hundreds on a host. */
class Groups<Key> {
  readonly #groups = new Map<Key, Set<Sandbox>>();
  /** Made when asked for, until the group changes. */
  readonly #lists = new Map<Key, readonly Sandbox[]>();

  get(key: Key): readonly Sandbox[] {
    const known = this.#lists.get(key);
    if (known !== undefined) return known;
    const group = this.#groups.get(key);
    if (group === undefined) return [];
    const list = [...group];
    this.#lists.set(key, list);
    return list;
  }

  add(key: Key, sandbox: Sandbox): void {
    const group = this.#groups.get(key);
    if (group === undefined) this.#groups.set(key, new Set([sandbox]));
    else group.add(sandbox);
    this.#lists.delete(key);
  }

  remove(key: Key, sandbox: Sandbox): void {
    const group = this.#groups.get(key);
    group?.delete(sandbox);
    if (group?.size === 0) this.#groups.delete(key);
    this.#lists.delete(key);
  }
}
