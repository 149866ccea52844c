import { Etcd3 } from 'etcd3';

/** As long as an endpoint's record. */
const value = 'x'.repeat(240);

/** Puts one key per request directly to etcd, with a widely used client library: the cost of a write without Causeway. */
export class RawPuts {
  readonly #etcd: Etcd3;
  #count = 0;

  constructor(urls: readonly string[]) {
    this.#etcd = new Etcd3({ hosts: [...urls] });
  }

  async put(): Promise<void> {
    const key = `/bench/${this.#count++}`;
    await this.#etcd.put(key).value(value).exec();
  }

  async clear(): Promise<void> {
    await this.#etcd.delete().prefix('/bench/');
  }

  close(): void {
    this.#etcd.close();
  }
}
