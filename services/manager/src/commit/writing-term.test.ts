import { FakeClock, MemoryLog } from '@causeway/runtime/testing';
import { describe, expect, test } from 'vitest';
import { EventOrder } from '../events/order.ts';
import { createKeys } from '../store/keys.ts';
import { defaultTxnOps, type Store } from '../store/store.ts';
import { View } from '../store/view.ts';
import { WritingTerm } from './writing-term.ts';

const unused = (): never => {
  throw new Error('not used');
};
const store: Pick<Store, 'maxTxnOps' | 'txn' | 'get' | 'page'> = {
  maxTxnOps: defaultTxnOps,
  txn: unused,
  get: unused,
  page: unused,
};
const keys = createKeys();

function termAt(revision: bigint, began: bigint): { view: View; term: WritingTerm } {
  const view = new View();
  view.apply({ kind: 'snapshot', revision, kvs: [] });
  return {
    view,
    term: new WritingTerm(
      { store, view, keys, order: new EventOrder(keys), clock: new FakeClock(), log: new MemoryLog() },
      began,
    ),
  };
}

/** Whether the promise has settled after all pending microtasks have run. */
async function isSettled(promise: Promise<void>): Promise<boolean> {
  let settled = false;
  promise.then(
    () => {
      settled = true;
    },
    () => undefined,
  );
  await new Promise<void>((resolve) => setImmediate(resolve));
  return settled;
}

describe('WritingTerm', () => {
  test('plans begin when the view has what earlier leaders wrote', async () => {
    const { view, term } = termAt(5n, 9n);
    const caughtUp = term.caughtUp();
    view.apply({ kind: 'progress', revision: 8n });
    expect(await isSettled(caughtUp)).toBe(false);
    view.apply({ kind: 'progress', revision: 9n });
    expect(await isSettled(caughtUp)).toBe(true);
  });

  test('and wait for all revisions that callers have seen', async () => {
    const { view, term } = termAt(9n, 9n);
    term.answered(12n);
    term.answered(11n);
    const caughtUp = term.caughtUp();
    expect(await isSettled(caughtUp)).toBe(false);
    view.apply({ kind: 'progress', revision: 12n });
    expect(await isSettled(caughtUp)).toBe(true);
  });

  test('after its end a term refuses calls at once and commits nothing', async () => {
    const { term } = termAt(5n, 9n);
    const caughtUp = expect(term.caughtUp()).rejects.toMatchObject({ code: 'timed-out' });
    await term.end();
    await caughtUp;
    expect(term.isOver).toBe(true);
    expect(await term.committer.commit({ compares: [], writes: [], events: [] })).toEqual({ kind: 'fenced' });
  });
});
