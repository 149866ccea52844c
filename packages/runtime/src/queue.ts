/**
 * A stream: one side pushes items, the other reads them with `for await`. It has no limit: the pushing side must have
 * one. After `end` (or `fail`), the items pushed before are still read; then reading ends (or throws). There is one
 * reader.
 */
export class Queue<Item> implements AsyncIterable<Item> {
  #items: Item[] = [];
  #end: { readonly error?: unknown } | undefined;
  #wake: (() => void) | undefined;

  get size(): number {
    return this.#items.length;
  }

  push(item: Item): void {
    if (this.#end !== undefined) return;
    this.#items.push(item);
    this.#wake?.();
  }

  end(): void {
    this.#end ??= {};
    this.#wake?.();
  }

  fail(error: unknown): void {
    this.#end ??= { error };
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void> {
    for (;;) {
      const batch = this.#items;
      this.#items = [];
      for (const item of batch) yield item;
      if (this.#items.length > 0) continue;
      if (this.#end !== undefined) {
        if ('error' in this.#end) throw this.#end.error;
        return;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }
}
