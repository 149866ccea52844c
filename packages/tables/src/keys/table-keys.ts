import type { ClusterId } from '@causeway/model';
import { type Batch, signedPart } from '../wire/batch.ts';
import type { Signatures } from './signatures.ts';
import { keyIdOf, type TableKey, type VouchedKey } from './vouched-key.ts';

/** Why the keys do not vouch for a batch. */
export type Distrust = 'unknown-key' | 'expired-key' | 'wrong-epoch' | 'bad-signature';

/** More managers and renewals than a cluster has at a time. Each was vouched for, so only a manager could fill this. */
const mostKeys = 64;

/** The table keys of the managers. */
export class TableKeys {
  readonly #cluster: ClusterId;
  readonly #signatures: Signatures;
  readonly #keys = new Map<string, VouchedKey>();

  constructor(cluster: ClusterId, signatures: Signatures) {
    this.#cluster = cluster;
    this.#signatures = signatures;
  }

  /** `key` must have been verified. The vouched form is kept for hosts that ask. */
  add(key: TableKey, vouched: VouchedKey): void {
    const id = keyIdOf(key);
    this.#keys.delete(id);
    this.#keys.set(id, { ...vouched, ...key });
    for (const oldest of this.#keys.keys()) {
      if (this.#keys.size <= mostKeys) break;
      this.#keys.delete(oldest);
    }
  }

  /** All keys of a manager that was removed from the cluster. Rows that came with them stay. */
  forget(manager: string): void {
    for (const [id, key] of this.#keys) if (key.manager === manager) this.#keys.delete(id);
  }

  get(id: string): VouchedKey | undefined {
    return this.#keys.get(id);
  }

  all(): readonly VouchedKey[] {
    return [...this.#keys.values()];
  }

  /** Undefined: a manager has signed the batch, with a key that it may use. `wall`: Unix ms. */
  distrust(batch: Batch, wall: number): Distrust | undefined {
    const key = this.#keys.get(batch.keyId);
    if (key === undefined) return 'unknown-key';
    if (wall > key.notAfter) return 'expired-key';
    if (batch.to.epoch !== key.epoch) return 'wrong-epoch';
    const { statement, signature } = signedPart(batch, this.#cluster);
    return this.#signatures.verify(key.publicKey, statement, signature) ? undefined : 'bad-signature';
  }
}
