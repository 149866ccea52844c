import { Mac } from '@causeway/model';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type EntryState, OwnEntries, type WrittenEntry } from './own-entries.ts';

const key = fc.constantFrom(...['02:42:0a:42:00:09', '02:42:0a:42:00:0a'].map((each) => Mac(each)));
const state = fc.constantFrom<EntryState>('port', 'absent');
const index = fc.constantFrom(2, 3);
const entry: fc.Arbitrary<WrittenEntry> = fc.record({ index, key, state });

it('an entry is known as it was last written, until its link or all are forgotten', () => {
  const step = fc.oneof(
    entry.map((each) => ({ forget: 'nothing', ...each }) as const),
    index.map((each) => ({ forget: 'link', index: each }) as const),
    fc.constant({ forget: 'all' } as const),
  );
  fc.assert(
    fc.property(fc.array(step), entry, (steps, asked) => {
      const own = new OwnEntries();
      let written: WrittenEntry[] = [];
      for (const each of steps) {
        if (each.forget === 'all') {
          own.forgetAll();
          written = [];
        } else if (each.forget === 'link') {
          own.forgetLink(each.index);
          written = written.filter((other) => other.index !== each.index);
        } else {
          own.add(each);
          written.push(each);
        }
      }
      const last = written.findLast((each) => each.index === asked.index && each.key === asked.key);
      expect(own.names(asked)).toBe(last !== undefined);
      expect(own.has(asked)).toBe(last?.state === asked.state);
    }),
  );
});
