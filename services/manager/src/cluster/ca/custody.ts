import {
  deriveBytes,
  formatSealingKeyFile,
  fromBase64,
  hasSealedAuthority,
  keysOf,
  openFile,
  openFor,
  type PrivateKey,
  parseSealingKeyFile,
  type SealingKey,
  type SealingKeyFile,
  toBase64,
  unlock,
  unlockKeyBytes,
} from '@causeway/identity';
import { type ClusterId, unwrap } from '@causeway/model';
import type { Log } from '@causeway/runtime';
import type { Ca, CaSigner } from '../../store/records/ca.ts';
import type { View } from '../../store/view.ts';

interface CustodyParts {
  /** Writes the file on the manager's disk. Durable when it resolves. */
  keep(file: SealingKeyFile): Promise<void>;
  createKey(): PrivateKey;
  /** Absent: no sealing key is sealed for this manager. */
  readonly own?: OwnKey;
  readonly log: Log;
}

interface OwnKey {
  readonly name: string;
  /** That of the manager's certificate. */
  key(): PrivateKey;
  /** Calls back when the manager has renewed its certificate. Returns a function that ends this. */
  onChange(listener: () => void): () => void;
}

/**
 * What a manager keeps itself to issue certificates with: the key that opens the CA key in the store. It never leaves the
 * managers' hosts, except to a manager that joins.
 */
export class Custody {
  readonly #parts: CustodyParts;
  #file: SealingKeyFile;
  /** The newest first; none: locked. */
  #keys: readonly SealingKey[];
  /** The keys for which a sealing key may be sealed: also the key before the last renewal, which the managers may see later. */
  #ownKeys: readonly PrivateKey[];
  #writing: Promise<void> = Promise.resolve();

  /** `file`: as it is on disk. */
  constructor(parts: CustodyParts, file: SealingKeyFile) {
    this.#parts = parts;
    this.#file = file;
    this.#keys = file.state === 'open' ? keysOf(file) : [];
    this.#ownKeys = parts.own === undefined ? [] : [parts.own.key()];
  }

  /** A locked manager verifies members, but issues nothing. */
  get isLocked(): boolean {
    return this.#keys.length === 0;
  }

  /** All that this manager has, the newest first; none: it is locked. */
  get sealingKeys(): readonly SealingKey[] {
    return this.#keys;
  }

  /** The key that has sealed this CA key; undefined: this manager does not have it. */
  keyOf({ key: sealed }: Pick<CaSigner, 'key'>): SealingKey | undefined {
    return this.#keys.find((key) => hasSealedAuthority(key, sealed));
  }

  /**
   * Durable when it resolves, unless autolock keeps the file: then the store has it, locked. A file holds a limited number of keys. The
   * key that is `inUse` must stay whatever happens: the new key may come to no use.
   */
  async add(key: SealingKey, inUse: SealingKey): Promise<void> {
    const [first, second] = [toBase64(key), toBase64(inUse)];
    this.#keys = [key, inUse, ...this.#keys.filter((each) => ![first, second].includes(toBase64(each)))];
    const file = this.#openFile();
    if (this.#file.state === 'locked' || file === undefined) return;
    await this.#parts.keep(file);
    this.#file = file;
  }

  /** As on disk. A new manager gets the same file. */
  get file(): SealingKeyFile {
    return this.#file;
  }

  createKey(): PrivateKey {
    return this.#parts.createKey();
  }

  /** locked -> able to issue, until the process ends. @throws CausewayError unlock-key-wrong */
  unlock(unlockKey: SealingKey): void {
    if (this.isLocked) this.#keys = keysOf(unwrap(unlock(this.#file, unlockKey)));
  }

  /** Keeps the file as the cluster wants it: locked while autolock is on. Returns a function that ends this. */
  follow(view: Pick<View, 'ca' | 'subscribe'>): () => void {
    const settle = (): void => {
      this.#writing = this.#writing.then(() => this.#settle(view));
    };
    settle();
    const { own } = this.#parts;
    const ends = [
      view.subscribe((changes) => {
        if (changes.some(({ kind }) => kind === 'ca' || kind === 'reset')) settle();
      }),
      own?.onChange(() => {
        this.#ownKeys = [own.key(), ...this.#ownKeys.slice(0, 1)];
        settle();
      }),
    ];
    return () => {
      for (const end of ends) end?.();
    };
  }

  /** A failure is tried again at the next change, and at the next start. */
  async #settle({ ca }: Pick<View, 'ca'>): Promise<void> {
    if (ca !== undefined) this.#learn(ca.value);
    const wanted = ca && this.#wanted(ca.value.autolock?.file);
    if (wanted === undefined || formatSealingKeyFile(wanted) === formatSealingKeyFile(this.#file)) return;
    const { keep, log } = this.#parts;
    try {
      await keep(wanted);
      this.#file = wanted;
      log.info('ca.sealing-key-kept', { state: wanted.state });
    } catch (error) {
      log.error('ca.sealing-key-not-kept', { state: wanted.state, error });
    }
  }

  /** Undefined: a locked manager does not know the key that it should keep open. */
  #wanted(locked: string | undefined): SealingKeyFile | undefined {
    return locked === undefined ? this.#openFile() : unwrap(parseSealingKeyFile(locked));
  }

  #openFile(): SealingKeyFile | undefined {
    const [newest, ...former] = this.#keys;
    return newest && openFile(this.#file.cluster, [newest, ...former]);
  }

  /** Takes the sealing key that the managers have changed to, if it is sealed for this manager or locked by a key that it knows. */
  #learn(ca: Ca): void {
    if (this.isLocked || this.keyOf(ca.signer) !== undefined) return;
    const known = new Set(this.#keys.map(toBase64));
    const found = [...this.#unsealed(ca), ...this.#unlocked(ca)].filter((key) => !known.has(toBase64(key)));
    this.#keys = [...found, ...this.#keys];
    if (this.keyOf(ca.signer) === undefined) this.#parts.log.warn('ca.sealing-key-missing', {});
  }

  #unsealed({ sealingKeys = {} }: Ca): readonly SealingKey[] {
    const { own } = this.#parts;
    const sealed = own && fromBase64(sealingKeys[own.name] ?? '');
    if (own === undefined || sealed === undefined || sealed.length === 0) return [];
    const context = { cluster: this.#file.cluster, purpose: sealingKeyPurpose };
    return this.#ownKeys.flatMap((key) => {
      const opened = openFor(key, sealed, context);
      return opened.ok ? [opened.value] : [];
    });
  }

  #unlocked({ autolock }: Ca): readonly SealingKey[] {
    if (autolock === undefined) return [];
    const file = unwrap(parseSealingKeyFile(autolock.file));
    for (const key of this.#keys) {
      const opened = unlock(file, unlockKeyFrom(key, this.#file.cluster, autolock.id));
      if (opened.ok) return keysOf(opened.value);
    }
    return [];
  }
}

/** What a sealing key is sealed for, when it is sealed for a manager. */
export const sealingKeyPurpose = 'sealing key of managers';

/** What operators keep: it opens the sealing key of a locked manager. It follows from a sealing key and the id of a call. */
export function unlockKeyFrom(key: SealingKey, cluster: ClusterId, id: string): SealingKey {
  return deriveBytes(key, { cluster, purpose: `unlock key ${id}` }, unlockKeyBytes);
}
