import type { PrivateKey, SealingKey, SealingKeyFile } from '@causeway/identity';

/**
 * What a manager keeps itself to issue certificates with: the key that opens the CA key in the store. It never leaves the
 * managers' hosts, except to a manager that joins.
 */
export interface Custody {
  /** Undefined: this manager is locked. It verifies members, but issues nothing. */
  readonly sealingKey: SealingKey | undefined;
  /** As on disk. A new manager gets the same file. */
  readonly file: SealingKeyFile;
  createKey(): PrivateKey;
}
