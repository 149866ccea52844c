import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BroadcastQueue } from './broadcast-queue.ts';

/** The same rules without any index: the whole list is sorted for each packet. */
class PlainQueue {
  all: { subject: string | undefined; message: Uint8Array; order: number; sends: number }[] = [];
  #order = 0;

  add(message: Uint8Array, subject?: string): void {
    this.all = this.all.filter((each) => subject === undefined || each.subject !== subject);
    this.all.push({ subject, message, order: this.#order++, sends: 0 });
  }

  take(room: number, overhead: number, limit: number): Uint8Array[] {
    const taken = [...this.all]
      .sort((a, b) => a.sends - b.sends || b.message.length - a.message.length || b.order - a.order)
      .filter((each) => {
        if (each.message.length + overhead > room) return false;
        room -= each.message.length + overhead;
        return true;
      });
    for (const each of taken) each.sends++;
    this.all = this.all.filter(({ sends }) => sends < limit);
    return taken.map(({ message }) => message);
  }
}

const step = fc.oneof(
  fc.record({
    length: fc.integer({ min: 1, max: 40 }),
    subject: fc.option(fc.constantFrom('a', 'b', 'c'), { nil: undefined }),
  }),
  fc.record({ room: fc.nat(120) }),
);

test('messages go in the order of the plain queue', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), (steps, limit) => {
      const queue = new BroadcastQueue();
      const plain = new PlainQueue();
      for (const each of steps) {
        if ('length' in each) {
          const message = new Uint8Array(each.length);
          queue.add(message, each.subject);
          plain.add(message, each.subject);
        } else expect(queue.take(each.room, 2, limit)).toEqual(plain.take(each.room, 2, limit));
        expect(queue.size).toBe(plain.all.length);
      }
    }),
    { numRuns: 500 },
  );
});

test('a message is done when it was sent often enough, or was replaced', () => {
  const queue = new BroadcastQueue();
  const done: string[] = [];
  queue.add(new Uint8Array(5), 'a', () => done.push('first'));
  queue.add(new Uint8Array(6), 'a', () => done.push('second'));
  expect(done).toEqual(['first']);
  expect(queue.take(100, 2, 2)).toHaveLength(1);
  expect(done).toEqual(['first']);
  queue.take(100, 2, 2);
  expect(done).toEqual(['first', 'second']);
  expect(queue.take(100, 2, 2)).toEqual([]);
});
