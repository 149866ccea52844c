import { describe, expect, it } from 'vitest';
import { Queue } from './queue.ts';

async function read<Item>(queue: Queue<Item>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of queue) items.push(item);
  return items;
}

describe('Queue', () => {
  it('gives what was pushed, in order, before and while it is read', async () => {
    const queue = new Queue<number>();
    queue.push(1);
    const all = read(queue);
    await Promise.resolve();
    queue.push(2);
    queue.push(3);
    queue.end();
    queue.push(4);
    expect(await all).toEqual([1, 2, 3]);
  });

  it('throws its failure after the last item', async () => {
    const queue = new Queue<number>();
    const seen: number[] = [];
    queue.push(1);
    queue.fail(new Error('cut'));
    await expect(
      (async () => {
        for await (const item of queue) seen.push(item);
      })(),
    ).rejects.toThrow('cut');
    expect(seen).toEqual([1]);
  });
});
