import {
  formatSealingKeyFile,
  type PrivateKey,
  parseSealingKeyFile,
  type SealingKey,
  type SealingKeyFile,
  unlock,
} from '@causeway/identity';
import { unwrap } from '@causeway/model';
import type { Log } from '@causeway/runtime';
import type { View } from '../../store/view.ts';

interface CustodyParts {
  /** Writes the file on the manager's disk. Durable when it resolves. */
  keep(file: SealingKeyFile): Promise<void>;
  createKey(): PrivateKey;
  readonly log: Log;
}

/**
 * What a manager keeps itself to issue certificates with: the key that opens the CA key in the store. It never leaves the
 * managers' hosts, except to a manager that joins.
 */
export class Custody {
  readonly #parts: CustodyParts;
  #file: SealingKeyFile;
  #key: SealingKey | undefined;
  #writing: Promise<void> = Promise.resolve();

  /** `file`: as it is on disk. */
  constructor(parts: CustodyParts, file: SealingKeyFile) {
    this.#parts = parts;
    this.#file = file;
    this.#key = file.state === 'open' ? file.key : undefined;
  }

  /** Undefined: this manager is locked. It verifies members, but issues nothing. */
  get sealingKey(): SealingKey | undefined {
    return this.#key;
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
    if (this.#key === undefined) this.#key = unwrap(unlock(this.#file, unlockKey)).key;
  }

  /** Keeps the file as the cluster wants it: locked while autolock is on. Returns a function that ends this. */
  follow(view: Pick<View, 'ca' | 'subscribe'>): () => void {
    const settle = (): void => {
      this.#writing = this.#writing.then(() => this.#settle(view));
    };
    settle();
    return view.subscribe((changes) => {
      if (changes.some(({ kind }) => kind === 'ca' || kind === 'reset')) settle();
    });
  }

  /** A failure is tried again at the next change, and at the next start. */
  async #settle({ ca }: Pick<View, 'ca'>): Promise<void> {
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
    if (locked !== undefined) return unwrap(parseSealingKeyFile(locked));
    const { cluster } = this.#file;
    return this.#key && { cluster, state: 'open', key: this.#key };
  }
}
