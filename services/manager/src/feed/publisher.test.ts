import { expect, test } from 'vitest';
import { ViewScript } from '../testing/view-script.ts';
import { Publisher } from './publisher.ts';

test('a view that is read anew at the same revision publishes nothing', () => {
  const script = new ViewScript();
  script.commit({ put: 'node', node: 1 }, { put: 'network', network: 7 });
  const publisher = new Publisher(script.view);
  const reset = { kind: 'reset', revision: script.revision } as const;
  expect(publisher.update([reset]).map(({ kind }) => kind)).toEqual(['begun']);
  expect(publisher.update([reset])).toEqual([]);
});
