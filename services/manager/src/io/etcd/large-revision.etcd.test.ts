import { milliseconds, seconds } from '@causeway/runtime';
import { systemClock } from '@causeway/runtime/io';
import { MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { put, write } from '../../store/contract/act.ts';
import { Follower } from '../../store/contract/follower.ts';
import { EtcdStore } from './store.ts';
import { etcdMissing, TestEtcd } from './testing/index.ts';

const missing = await etcdMissing();
/** As long as keys of outcomes, so that a revision with all of them is some 20 MB in a watch. */
const name = (i: number): string => `/causeway/v1/req/00000000-0000-4000-8000-${String(i).padStart(12, '0')}`;
const prefix = '/causeway/v1/';
const keys = 200_000;

/** As another program may make it: Causeway itself makes no such revision. */
describe.skipIf(missing !== undefined)(
  `a revision of ${keys} events${missing === undefined ? '' : ` (${missing})`}`,
  () => {
    let etcd: TestEtcd;
    let log: MemoryLog;
    const opened: EtcdStore[] = [];

    const open = (): EtcdStore => {
      log = new MemoryLog();
      const parts = { clock: systemClock, random: new SeededRandom(1), log };
      const store = new EtcdStore(parts, { endpoints: [etcd.url], maxTxnOps: 1_000, callTimeout: seconds(60) });
      opened.push(store);
      return store;
    };

    /** Puts the keys on one lease, and returns how to end it. */
    const fill = async (): Promise<() => Promise<void>> => {
      const store = open();
      const lease = await store.grant(seconds(600));
      for (let at = 0; at < keys; at += 1_000)
        await write(store, ...Array.from({ length: 1_000 }, (_, i) => put(name(at + i), 'x', lease.id)));
      return () => lease.revoke().catch(() => undefined);
    };

    const gone = async (): Promise<bigint> => {
      const store = open();
      for (;;) {
        const { kvs, more, revision } = await store.page({ from: prefix, before: `${prefix}~` }, { limit: 1 });
        if (kvs.length === 0 && !more) return revision;
        await systemClock.sleep(milliseconds(20));
      }
    };

    beforeEach(async () => {
      etcd = await TestEtcd.start({ flags: ['--max-txn-ops=1000'] });
    });
    afterEach(async () => {
      for (const each of opened.splice(0)) await each.close();
      await etcd.stop();
    });

    it('is taken in by a follower that runs, and the next one after it', { timeout: 120_000 }, async () => {
      const end = await fill();
      const store = open();
      const follower = new Follower(store, prefix);
      await follower.until(({ state }) => state.size === keys);
      await end();
      const revision = await gone();
      await follower.reached(revision);
      expect(follower.state.size).toBe(0);
      await follower.reached(await write(store, put(`${prefix}after`)));
      expect([...follower.state.keys()]).toEqual([`${prefix}after`]);
      expect(follower.snapshots).toBe(1);
      await follower.stop();
    });

    it('is no obstacle to a follower that starts right after it', { timeout: 120_000 }, async () => {
      const end = await fill();
      await end();
      await gone();
      const store = open();
      const follower = new Follower(store, prefix);
      await follower.until(({ snapshots }) => snapshots === 1);
      await follower.reached(await write(store, put(`${prefix}after`)));
      expect([...follower.state.keys()]).toEqual([`${prefix}after`]);
      await follower.stop();
    });
  },
);
