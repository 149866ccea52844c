import { folderCycles } from '@causeway/runtime/testing';
import { expect, test } from 'vitest';

test('folders import one another one way', () => {
  expect(folderCycles(new URL('.', import.meta.url))).toEqual([]);
});
