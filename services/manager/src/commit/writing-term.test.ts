import { FakeClock, MemoryLog } from '@causeway/runtime/testing';
import { describe, expect, test } from 'vitest';
import { EventOrder } from '../events/order.ts';
import { Keys } from '../store/keys.ts';
import { defaultTxnOps, type Store } from '../store/store.ts';
import { View } from '../store/view.ts';
import { Tenure } from './writing-term.ts';

const unused = (): never => {
  throw new Error('not used');
};
const store: Pick<Store, 'maxTxnOps' | 'txn' | 'get' | 'page'> = {
  maxTxnOps: defaultTxnOps,
  txn: unused,
  get: unused,
  page: unused,
};
const keys = new Keys();

function tenureAt(revision: bigint, term: bigint): { view: View; tenure: Tenure } {
  const view = new View();
  view.apply({ kind: 'snapshot', revision, kvs: [] });
  return {
    view,
    tenure: new Tenure(
      { store, view, keys, order: new EventOrder(keys), clock: new FakeClock(), log: new MemoryLog() },
      term,
    ),
  };
}

/** Whether the promise has settled once all that is ready has run. */
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

describe('Tenure', () => {
  test('plans begin when the view has what earlier leaders wrote', async () => {
    const { view, tenure } = tenureAt(5n, 9n);
    const caughtUp = tenure.caughtUp();
    view.apply({ kind: 'progress', revision: 8n });
    expect(await isSettled(caughtUp)).toBe(false);
    view.apply({ kind: 'progress', revision: 9n });
    expect(await isSettled(caughtUp)).toBe(true);
  });

  test('and wait for all that callers were told', async () => {
    const { view, tenure } = tenureAt(9n, 9n);
    tenure.answered(12n);
    tenure.answered(11n);
    const caughtUp = tenure.caughtUp();
    expect(await isSettled(caughtUp)).toBe(false);
    view.apply({ kind: 'progress', revision: 12n });
    expect(await isSettled(caughtUp)).toBe(true);
  });

  test('ended, it lets nobody wait and commits nothing', async () => {
    const { tenure } = tenureAt(5n, 9n);
    const caughtUp = expect(tenure.caughtUp()).rejects.toMatchObject({ code: 'timed-out' });
    await tenure.end();
    await caughtUp;
    expect(tenure.isOver).toBe(true);
    expect(await tenure.committer.commit({ compares: [], writes: [], events: [] })).toEqual({ kind: 'fenced' });
  });
});
