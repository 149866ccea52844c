import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hashOf, nextOnRing } from './ring.ts';
import { viewOf } from './view.ts';

const nodes = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ name: `n${i}`, hash: hashOf(`n${i}`), incarnation: 1 }));

test('all nodes agree who follows a node, and each node follows as many as follow it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 30 }), fc.integer({ min: 0, max: 4 }), fc.nat(), (count, wanted, seed) => {
      const all = nodes(count);
      const turned = [...all.slice(seed % count), ...all.slice(0, seed % count)];
      const followed = all.flatMap((each) => {
        const next = nextOnRing(each, all, wanted, (other) => other !== each);
        expect(nextOnRing(each, turned, wanted, (other) => other !== each)).toEqual(next);
        return next;
      });
      for (const each of all)
        expect(followed.filter((other) => other === each)).toHaveLength(Math.min(wanted, count - 1));
    }),
  );
});

test('views are equal for the same nodes in any order, and differ for any other', () => {
  const all = nodes(5);
  const view = viewOf(all);
  expect(viewOf([...all].reverse())).toEqual(view);
  expect(viewOf(all.slice(1))).not.toEqual(view);
  expect(viewOf(all.map((each, i) => (i === 2 ? { ...each, incarnation: 2 } : each)))).not.toEqual(view);
  expect(viewOf([])).toEqual(new Uint8Array(8));
});
