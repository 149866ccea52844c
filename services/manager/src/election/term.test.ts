import { CausewayError } from '@causeway/model';
import { MemoryLog } from '@causeway/runtime/testing';
import { expect, test } from 'vitest';
import { failureLog } from './term.ts';

test.each<[string, unknown, readonly string[]]>([
  ['an error of the store is logged', new CausewayError('store-unavailable', 'no answer'), ['controller.failed']],
  ['an error without a code is logged', new Error('broken'), ['controller.failed']],
  ['the end of the term is no failure', new CausewayError('not-leader', 'another manager leads'), []],
])('failures of a controller: %s', (_, error, events) => {
  const log = new MemoryLog();
  failureLog(log, 'controller.failed')(error);
  expect(log.lines.map(({ event }) => event)).toEqual(events);
});
