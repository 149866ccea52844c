import { milliseconds, seconds } from '@causeway/runtime';
import { systemClock } from '@causeway/runtime/io';
import { MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { put, write } from '../../store/contract/act.ts';
import { Follower } from '../../store/contract/follower.ts';
import { formatCluster, StoreIdentity } from './identity.ts';
import { EtcdStore } from './store.ts';
import { CuttingProxy, etcdMissing, TestEtcd } from './testing/index.ts';

const missing = await etcdMissing();

describe.skipIf(missing !== undefined)(`another etcd${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  let ours: TestEtcd;
  let theirs: TestEtcd;
  let proxy: CuttingProxy;
  let log: MemoryLog;
  const opened: EtcdStore[] = [];

  const open = (endpoints: readonly string[], identity?: StoreIdentity): EtcdStore => {
    const parts = { clock: systemClock, random: new SeededRandom(1), log };
    const store = new EtcdStore(
      { ...parts, ...(identity !== undefined && { identity }) },
      {
        endpoints,
        callTimeout: seconds(2),
        attemptTimeout: milliseconds(500),
        progressInterval: milliseconds(200),
        backoff: { first: milliseconds(10), max: milliseconds(100), factor: 2 },
      },
    );
    opened.push(store);
    return store;
  };
  const foreign = () => log.lines.filter(({ event }) => event === 'store.foreign');

  beforeAll(async () => {
    [ours, theirs] = await Promise.all([TestEtcd.start(), TestEtcd.start()]);
    // At a higher revision than ours: the revision alone does not show that this is another cluster.
    for (let i = 0; i < 20; i++) await write(open([theirs.url]), put('/t/theirs', String(i)));
  });
  afterAll(async () => {
    await Promise.all([ours.stop(), theirs.stop()]);
  });
  beforeEach(async () => {
    log = new MemoryLog();
    proxy = await CuttingProxy.start(ours.clientPort);
  });
  afterEach(async () => {
    for (const each of opened.splice(0)) await each.close();
    await proxy.close();
  });

  it('at our address is neither read nor written nor followed, and ours is again when it is back', async () => {
    const store = open([proxy.url]);
    const follower = new Follower(store, '/t/');
    await write(store, put('/t/a'));
    await follower.until(({ state }) => state.has('/t/a'));
    proxy.retarget(theirs.clientPort);
    await expect(store.get('/t/theirs')).rejects.toMatchObject({
      code: 'store-unavailable',
      message: expect.stringMatching(/belongs to another etcd cluster .* it is not used/),
    });
    await expect(store.txn([], [put('/t/stray')])).rejects.toMatchObject({ code: 'store-unavailable' });
    await expect(store.grant(seconds(5))).rejects.toMatchObject({ code: 'store-unavailable' });
    expect((await open([theirs.url]).get('/t/stray')).kv).toBeUndefined();
    proxy.retarget(ours.clientPort);
    await follower.reached(await write(open([ours.url]), put('/t/b')));
    expect([...follower.state.keys()]).toEqual(['/t/a', '/t/b']);
    expect(follower.snapshots).toBe(1);
    await follower.stop();
  });

  it('among our addresses is passed over, and said once', async () => {
    // Opened with our etcd alone: a store without an identity takes that of the first etcd that answers, which may be
    // either on a busy machine.
    const store = open([ours.url]);
    await store.get('/t/a');
    const turned = open([theirs.url, proxy.url], store.identity);
    const revision = await write(turned, put('/t/c'));
    const follower = new Follower(turned, '/t/');
    await follower.reached(revision);
    expect(follower.state.has('/t/theirs')).toBe(false);
    proxy.cut();
    await follower.reached(await write(store, put('/t/d')));
    expect(foreign()).toHaveLength(1);
    expect(foreign()[0]).toMatchObject({
      level: 'error',
      fields: { code: 'cluster-mismatch', endpoint: theirs.url, own: formatCluster(store.identity.own ?? 0n) },
    });
    await follower.stop();
  });

  it('is not ours to begin with when another was ours before', async () => {
    const first = open([ours.url]);
    await first.get('/t/a');
    const later = open([theirs.url], new StoreIdentity(log, first.identity.own));
    await expect(later.get('/t/theirs')).rejects.toMatchObject({ code: 'store-unavailable' });
    expect(later.identity.own).toBe(first.identity.own);
  });

  it('at a member’s address makes that member one that is not healthy', async () => {
    const store = open([proxy.url]);
    const [own] = await store.members();
    expect(own).toMatchObject({ healthy: true });
    expect(
      await open([theirs.url], store.identity)
        .members()
        .catch((error: unknown) => error),
    ).toMatchObject({
      code: 'store-unavailable',
    });
  });
});
