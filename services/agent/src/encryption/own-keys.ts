import {
  formatStoredKeys,
  type Keyring,
  type NewGeneration,
  noStoredKeys,
  parseStoredKeys,
  type StoredKeys,
  withGeneration,
} from '@causeway/encryption';
import type { PrivateKey } from '@causeway/identity';
import { type CausewayError, isCausewayError } from '@causeway/model';
import type { Clock, Log } from '@causeway/runtime';
import type { KeyFile } from './key-file.ts';

export interface OwnKeysModules {
  readonly keyFile: KeyFile;
  readonly createKey: () => PrivateKey;
  readonly clock: Clock;
  readonly log: Log;
}

/** This host's private keys and its keyring: in memory, and in the key file. */
export class OwnKeys {
  readonly #modules: OwnKeysModules;
  #stored: StoredKeys | undefined;
  #written = '';
  #whyLasting: string | undefined;

  constructor(modules: OwnKeysModules) {
    this.#modules = modules;
  }

  /** Why the private keys outlive a reboot, in words; undefined: they do not, or there are none. */
  get whyLasting(): string | undefined {
    return this.#whyLasting;
  }

  /**
   * Keys that are damaged, or that others may have read, are not used: the host makes new ones. No SA can be made from the former
   * ones then, so packets are dropped until the peers have the new ones. @throws what the file throws when it cannot be read now
   */
  async load(): Promise<StoredKeys> {
    this.#stored ??= await this.#read();
    return this.#stored;
  }

  /**
   * Writes the keyring down, with a key for each of its generations. Keys of other generations are erased. Nothing may follow
   * from the keyring before this resolves.
   */
  async keep(keyring: Keyring, create?: NewGeneration): Promise<void> {
    const { keyFile, createKey, clock, log } = this.#modules;
    const before = await this.load();
    const after = create === undefined ? keyring : withGeneration(keyring, create, Math.floor(clock.wall()));
    const keys = new Map<number, PrivateKey>();
    for (const { generation } of after.generations) keys.set(generation, before.keys.get(generation) ?? createKey());
    const stored = { keyring: after, keys };
    const text = formatStoredKeys(stored);
    if (text !== this.#written) await keyFile.write(text);
    this.#written = text;
    this.#stored = stored;
    if (create === undefined) return;
    log.info('keys.made', { generation: create.generation, reason: create.reason });
    await this.#lookWhere();
  }

  async #read(): Promise<StoredKeys> {
    const { keyFile } = this.#modules;
    try {
      const text = await keyFile.read();
      if (text === undefined) return noStoredKeys;
      const parsed = parseStoredKeys(text);
      if (!parsed.ok) return this.#unusable(parsed.error);
      this.#written = text;
      await this.#lookWhere();
      return parsed.value;
    } catch (error) {
      if (isCausewayError(error, 'key-exposed')) return this.#unusable(error);
      throw error;
    }
  }

  /** Where the keys are is looked up whenever there are new ones: another file system may be mounted there by now. */
  async #lookWhere(): Promise<void> {
    const { keyFile, log } = this.#modules;
    const before = this.#whyLasting;
    this.#whyLasting = await keyFile.whyLasting();
    if (this.#whyLasting === undefined || this.#whyLasting === before) return;
    const risk = 'a person who gets the disk can read what was sent while the keys were in use';
    log.warn('keys.on-disk', { file: keyFile.path, message: `${this.#whyLasting}: ${risk}` });
  }

  #unusable({ code, message }: CausewayError): StoredKeys {
    const { keyFile, log } = this.#modules;
    const what = 'this host makes new keys; until its peers have them, packets of encrypted networks are dropped';
    log.error('keys.unusable', { code, file: keyFile.path, message: `${message}: ${what}` });
    return noStoredKeys;
  }
}
