import { type Bytes, equalBytes } from './bytes.ts';

const keyLengths: readonly number[] = [16, 24, 32];

/**
 * The keys of a cluster. A node seals with the primary key and opens with any key. A rotation installs the new key on all
 * nodes, then makes the key primary on all nodes, then removes the old key.
 */
export class Keyring {
  #keys: readonly Bytes[];

  constructor(primary: Bytes, others: readonly Bytes[] = []) {
    this.#keys = [checked(primary)];
    for (const key of others) this.install(key);
  }

  get primary(): Bytes {
    const [first] = this.#keys;
    if (first === undefined) throw new Error('a keyring has at least one key');
    return first;
  }

  /** The primary key comes first. */
  get keys(): readonly Bytes[] {
    return this.#keys;
  }

  install(key: Bytes): void {
    if (!this.#has(key)) this.#keys = [...this.#keys, checked(key)];
  }

  /** Makes the key primary. */
  use(key: Bytes): 'used' | 'unknown-key' {
    const found = this.#keys.find((each) => equalBytes(each, key));
    if (found === undefined) return 'unknown-key';
    this.#keys = [found, ...this.#keys.filter((each) => each !== found)];
    return 'used';
  }

  remove(key: Bytes): 'removed' | 'is-primary' {
    if (equalBytes(this.primary, key)) return 'is-primary';
    this.#keys = this.#keys.filter((each) => !equalBytes(each, key));
    return 'removed';
  }

  #has(key: Bytes): boolean {
    return this.#keys.some((each) => equalBytes(each, key));
  }
}

function checked(key: Bytes): Bytes {
  if (!keyLengths.includes(key.length)) throw new RangeError(`a key has 16, 24 or 32 bytes, not ${key.length}`);
  // A copy, which a Buffer's slice is not.
  return new Uint8Array(key);
}
