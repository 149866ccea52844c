import { Etcd3 } from 'etcd3';

/** As long as the record of an endpoint. */
const value = 'x'.repeat(240);

/** One key a request at etcd itself, by the client library that many use: what a write costs without us. */
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
