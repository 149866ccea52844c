import { milliseconds, seconds } from '@causeway/runtime';
import { systemClock } from '@causeway/runtime/io';
import { MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { put, write } from '../../store/contract/act.ts';
import { Follower } from '../../store/contract/follower.ts';
import { type StoreWorld, storeContract } from '../../store/contract.ts';
import { EtcdPool } from './pool.ts';
import { EtcdStore, type EtcdStoreSettings } from './store.ts';
import { CuttingProxy, etcdMissing, TestEtcd } from './testing/index.ts';

const missing = await etcdMissing();
const limits = { pageSize: 100, leaseTtl: seconds(2), callTimeout: seconds(2) };

describe.skipIf(missing !== undefined)(`EtcdStore${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  let etcd: TestEtcd;
  let proxy: CuttingProxy;
  let store: EtcdStore;
  let witness: EtcdStore;
  let count = 0;
  const log = new MemoryLog();
  const opened: EtcdStore[] = [];

  const open = (endpoints: readonly string[], settings: Omit<EtcdStoreSettings, 'endpoints'> = {}): EtcdStore => {
    const store = new EtcdStore(
      { clock: systemClock, random: new SeededRandom(1), log },
      {
        endpoints,
        pageSize: limits.pageSize,
        callTimeout: limits.callTimeout,
        attemptTimeout: milliseconds(500),
        progressInterval: milliseconds(200),
        backoff: { first: milliseconds(10), max: milliseconds(100), factor: 2 },
        ...settings,
      },
    );
    opened.push(store);
    return store;
  };

  beforeAll(async () => {
    etcd = await TestEtcd.start();
  });
  afterAll(async () => {
    await etcd.stop();
  });
  beforeEach(async () => {
    proxy = await CuttingProxy.start(etcd.clientPort);
    store = open([proxy.url]);
    witness = open([etcd.url], { callTimeout: seconds(7) });
  });
  afterEach(async () => {
    for (const each of opened.splice(0)) await each.close();
    await proxy.close();
  });

  describe('holds the store contract', () => {
    for (const { name, run } of storeContract)
      it(name, async () => {
        const world: StoreWorld = {
          store,
          witness,
          prefix: `/t/${count++}/`,
          clock: systemClock,
          limits,
          cut: () => proxy.cut(),
          cutReplays: (times) => proxy.cutReplays(times),
          setReachable: (reachable) => proxy.setReachable(reachable),
          loseNext: (what) => proxy.setLosing(what),
          restore: () => {
            proxy.setLosing(undefined);
            proxy.cut();
          },
          freeze: () => etcd.freeze(),
          unfreeze: () => etcd.unfreeze(),
          compact: (revision) => compact(revision),
        };
        await run(world);
      });
  });

  it('is cut between "created" and the history it asked for, as the contract means it', async () => {
    const prefix = `/t/${count++}/`;
    const follower = new Follower(store, prefix);
    await follower.until(({ snapshots }) => snapshots === 1);
    proxy.setReachable(false);
    const revision = await write(witness, put(`${prefix}a`));
    proxy.cutReplays(3);
    proxy.setReachable(true);
    await follower.reached(revision);
    expect(proxy.replaysCut).toBe(3);
    await follower.stop();
  });

  it('goes past a member that is dead, and one that does not answer', async () => {
    const deaf = await CuttingProxy.start(etcd.clientPort);
    const dead = await CuttingProxy.start(etcd.clientPort);
    dead.setReachable(false);
    const several = open([dead.url, deaf.url, etcd.url]);
    const prefix = `/t/${count++}/`;
    const follower = new Follower(several, prefix);
    await follower.until(({ snapshots }) => snapshots === 1);
    deaf.setLosing('reply');
    const revision = await write(witness, put(`${prefix}a`));
    await follower.reached(revision);
    expect((await several.get(`${prefix}a`)).kv).toBeDefined();
    await write(several, put(`${prefix}b`));
    await follower.stop();
    await Promise.all([deaf.close(), dead.close()]);
  });

  it('audits: agreement changes nothing, a difference that no stream delivered causes a snapshot', async () => {
    // Two stores at the same revision with different keys: a follower cannot tell this from one store that has lost an
    // event.
    const one = await TestEtcd.start();
    // With the same names and addresses at its beginning, the second etcd has the same ids.
    const beginning = [`--initial-cluster=test=${one.peerUrl}`, `--initial-advertise-peer-urls=${one.peerUrl}`];
    const other = await TestEtcd.start({ flags: beginning });
    const revision = await write(open([one.url]), put('/a'), put('/b'));
    expect(await write(open([other.url]), put('/a'))).toBe(revision);
    const way = await CuttingProxy.start(one.clientPort);
    const follower = new Follower(open([way.url], { auditInterval: milliseconds(1) }), '/');
    await follower.reached(revision);
    for (let index = 0; index < 3; index++)
      await follower.reached(await write(open([one.url]), put('/a', String(index))));
    expect(follower.snapshots).toBe(1);
    for (let index = 0; index < 3; index++) await write(open([other.url]), put('/a', String(index)));
    way.retarget(other.clientPort);
    await follower.until(({ snapshots }) => snapshots === 2);
    expect([...follower.state.keys()]).toEqual(['/a']);
    expect(log.lines).toContainEqual(expect.objectContaining({ event: 'store.follow-differs' }));
    await follower.stop();
    await Promise.all([way.close(), one.stop(), other.stop()]);
  });

  it('follows a store that was restored from a backup back in time', async () => {
    const prefix = `/t/${count++}/`;
    const old = await TestEtcd.start();
    const way = await CuttingProxy.start(old.clientPort);
    const restored = open([way.url]);
    await write(open([old.url]), put(`${prefix}old`));
    await old.kill();
    const backup = await old.backUp();
    await old.start();
    const follower = new Follower(restored, prefix);
    await follower.until(({ snapshots }) => snapshots === 1);
    await follower.reached(await write(restored, put(`${prefix}lost`)));
    way.setReachable(false);
    await old.kill();
    await backup.restore();
    await old.start();
    way.setReachable(true);
    await follower.until(({ snapshots }) => snapshots === 2);
    expect([...follower.state.keys()]).toEqual([`${prefix}old`]);
    await follower.stop();
    await way.close();
    await old.stop();
  });

  it('reports a full store as "disk-full", reads go on, and the follow too', async () => {
    const small = await TestEtcd.start({ flags: ['--quota-backend-bytes=4194304'] });
    const full = open([small.url]);
    const value = 'x'.repeat(1024 * 1024);
    const fill = async (): Promise<never> => {
      for (let index = 0; ; index++) await write(full, put(`/fill/${index}`, value));
    };
    await expect(fill()).rejects.toMatchObject({ code: 'disk-full' });
    expect((await full.get('/fill/0')).kv).toBeDefined();
    expect((await full.members())[0]).toMatchObject({ healthy: true, leader: true, alarms: ['NOSPACE'] });
    await small.stop();
  });

  it('gives a transaction up before etcd does, when nothing comes back', async () => {
    const quick = open([etcd.url], {
      callTimeout: seconds(30),
      attemptTimeout: seconds(30),
      txnTimeout: milliseconds(200),
    });
    // Connect before etcd stops, and with a read: a busy etcd may need more than 200 ms for a write.
    await quick.get('/given-up/a');
    await etcd.freeze();
    try {
      const reading = quick.get('/given-up/a');
      const writing = quick.txn([], [put('/given-up/b')]).catch((error: unknown) => error);
      expect(await Promise.race([writing, reading])).toMatchObject({ code: 'timed-out' });
      etcd.unfreeze();
      await reading;
    } finally {
      etcd.unfreeze();
    }
  });

  it.each(['localhost:2379', 'ftp://10.0.0.1:2379', 'https://10.0.0.1:2379', 'http://10.0.0.1:2379/v3', 'http://', ''])(
    'refuses the endpoint "%s"',
    (endpoint) => {
      expect(() => open([endpoint])).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
    },
  );

  async function compact(revision: bigint): Promise<void> {
    const pool = new EtcdPool(
      { clock: systemClock },
      { endpoints: [etcd.url], callTimeout: seconds(5), attemptTimeout: seconds(5) },
    );
    const request = { revision, physical: true };
    await pool.repeat('compacting', pool.bounds(), ({ clients }, bounds) =>
      pool.call(clients.kv.compact.bind(clients.kv), request, bounds),
    );
    pool.close();
  }
});
