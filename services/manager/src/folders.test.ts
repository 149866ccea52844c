import { folderCycles } from '@causeway/runtime/testing';
import { expect, test } from 'vitest';

test('folders import one another one way (docs/architecture.md, "Inside the manager")', () => {
  expect(folderCycles(new URL('.', import.meta.url))).toEqual([]);
});
