import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Name, RequestId } from '@causeway/model';
import { milliseconds, randomUuid, seconds } from '@causeway/runtime';
import { systemClock } from '@causeway/runtime/io';
import { MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RemovalRecord } from '../../cluster/membership/removal-record.ts';
import { removeMember } from '../../cluster/membership/remove-member.ts';
import { Roster } from '../../cluster/roster.ts';
import { RequestLeases } from '../../commit/request-leases.ts';
import { put, read, write } from '../../store/contract/act.ts';
import { createKeys } from '../../store/keys.ts';
import type { StoreMemberStatus } from '../../store/store.ts';
import { etcdIdentity } from '../../testing/etcd-identity.ts';
import type { EtcdCredentials } from '../etcd/credentials.ts';
import { EtcdStore } from '../etcd/store.ts';
import { etcdMissing, freePorts } from '../etcd/testing/index.ts';
import { findEtcd } from './binary.ts';
import { EmbeddedEtcd, embeddedDefaults, type JoinParts } from './embedded-etcd.ts';
import { becomesHealthy, spawnEtcd, terminate } from './etcd-process.ts';
import { allowFounding } from './first-start.ts';
import { clientUrl, type EmbeddedEtcdSettings, embeddedFlags, peerUrl } from './flags.ts';
import { followMembers } from './follow-members.ts';
import { EtcdMembership } from './membership.ts';

const missing = await etcdMissing();
const clock = systemClock;
const random = new SeededRandom(1);
/** Test timeout, ms: etcd counts a new member as connected only after 5 s. */
const patient = 60_000;

/** One cluster for all tests, which run in order: each test begins with the state that the previous one left. */
describe.skipIf(missing !== undefined)(`a cluster${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  const log = new MemoryLog();
  let directory: string;
  let store: EtcdStore;
  let credentials: EtcdCredentials;
  const running = new Map<string, EmbeddedEtcd>();
  const settings = new Map<string, EmbeddedEtcdSettings>();

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'causeway-cluster-'));
    const ports = await freePorts(8);
    for (const [index, name] of ['m1', 'm2', 'm3'].entries()) {
      const identity = await etcdIdentity(name, join(directory, `identity-${name}`));
      credentials = identity.credentials;
      settings.set(name, {
        ...embeddedDefaults,
        name,
        tls: identity.tls,
        dataDir: join(directory, name),
        clientPort: ports[2 * index] ?? 0,
        peerPort: ports[2 * index + 1] ?? 0,
      });
    }
    await mkdir(settingsOf('m1').dataDir);
    await allowFounding(settingsOf('m1').dataDir);
    await start('m1', false);
    store = new EtcdStore({ clock, random, log, credentials }, { endpoints: [endpoint('m1')] });
  }, patient);

  afterAll(async () => {
    await store.close();
    await Promise.all([...running.values()].map((etcd) => etcd.stop()));
    await rm(directory, { recursive: true, force: true });
  });

  const membership = (): EtcdMembership => new EtcdMembership(store.access);
  const settingsOf = (name: string): EmbeddedEtcdSettings => {
    const found = settings.get(name);
    if (found === undefined) throw new Error(`no member ${name}`);
    return found;
  };

  const endpoint = (name: string): string => clientUrl(settingsOf(name));

  /** The answer that m1's manager would give. */
  const toJoin = (): JoinParts => ({
    managers: ['127.0.0.1:7443'],
    ask: async () => [
      { address: '127.0.0.1:7443', clusterId: 'a1', members: [{ name: 'm1', clientUrls: [endpoint('m1')] }] },
    ],
  });

  const start = async (
    name: string,
    joins = true,
    changed: Partial<EmbeddedEtcdSettings> = {},
  ): Promise<EmbeddedEtcd> => {
    const etcd = new EmbeddedEtcd(
      { clock, random, log, credentials, ...(joins && { join: toJoin() }) },
      { ...settingsOf(name), ...changed },
    );
    running.set(name, etcd);
    await etcd.start();
    return etcd;
  };

  const stop = async (name: string): Promise<void> => {
    await running.get(name)?.stop();
    running.delete(name);
  };

  const membersOnce = async (
    holds: (members: readonly StoreMemberStatus[]) => boolean,
  ): Promise<readonly StoreMemberStatus[]> => {
    for (;;) {
      const members = await store.members();
      if (holds(members)) return members;
      await clock.sleep(milliseconds(100));
    }
  };

  const remove = (name: string, force = false, id = randomUuid(random) as RequestId): Promise<void> => {
    const keys = createKeys();
    const leases = new RequestLeases({ store, clock });
    const record = new RemovalRecord({ store, leases, keys }, { id, content: name });
    const parts = { membership: membership(), store, roster: new Roster({ store, keys }), record, clock };
    return removeMember(parts, { name: name as Name, force });
  };

  it('begins with one member, which leads and votes', async () => {
    await write(store, put('/a', '1'));
    const [member, ...more] = await store.members();
    expect(more).toEqual([]);
    expect(member).toMatchObject({ name: 'm1', healthy: true, leader: true, learner: false, lag: 0n, alarms: [] });
    expect(member?.size).toBeGreaterThan(0);
  });

  it(
    'takes in a second member, which has what was written before',
    async () => {
      await start('m2');
      const members = await store.members();
      expect(members.map(({ name, learner, healthy }) => ({ name, learner, healthy }))).toEqual(
        expect.arrayContaining([
          { name: 'm1', learner: false, healthy: true },
          { name: 'm2', learner: false, healthy: true },
        ]),
      );
      const second = new EtcdStore({ clock, random, log, credentials }, { endpoints: [endpoint('m2')] });
      expect(await read(second, '/a')).toBe('1');
      await second.close();
    },
    patient,
  );

  it(
    'refuses a voter’s name and a voter’s address',
    async () => {
      const [port = 0] = await freePorts(1);
      const other = { dataDir: join(directory, 'other'), clientPort: port };
      const twin = new EmbeddedEtcd(
        { clock, random, log, credentials, join: toJoin() },
        { ...settingsOf('m3'), ...other, name: 'm2' },
      );
      await expect(twin.start()).rejects.toMatchObject({ code: 'name-taken' });
      await twin.stop();
    },
    patient,
  );

  it(
    'replaces what an earlier attempt to join has left',
    async () => {
      const url = peerUrl(settingsOf('m3'));
      let left: string | undefined;
      // etcd counts a member as connected only after 5 s.
      while (left === undefined)
        left = await membership()
          .add(url)
          .catch(async () => clock.sleep(seconds(1)).then(() => undefined));
      await start('m3');
      const third = (await store.members()).find(({ name }) => name === 'm3');
      expect(third).toMatchObject({ learner: false, healthy: true, peerUrls: [url] });
      expect(third?.id).not.toBe(left);
    },
    patient,
  );

  it(
    'goes on without one member, and says which',
    async () => {
      await stop('m3');
      await write(store, put('/b', '2'));
      const members = await membersOnce((all) => all.some(({ healthy }) => !healthy));
      expect(members.filter(({ healthy }) => !healthy).map(({ name }) => name)).toEqual(['m3']);
    },
    patient,
  );

  it('refuses a removal that would stop it, and says why', async () => {
    await expect(remove('m2')).rejects.toMatchObject({
      code: 'quorum-loss',
      message: expect.stringContaining(
        '2 of 3 members are healthy; removing m2 leaves 1 healthy of 2, and 2 are needed',
      ),
    });
    expect(await store.members()).toHaveLength(3);
  });

  it(
    'refuses every removal without a majority, and says why',
    async () => {
      await stop('m2');
      await expect(remove('m3', true)).rejects.toMatchObject({
        code: 'quorum-loss',
        message: expect.stringMatching(/etcd has no majority: [01] of 3 members are healthy and 2 have to agree/),
      });
      expect(await store.members()).toHaveLength(3);
      await start('m2', false);
      await membersOnce((all) => all.filter(({ healthy }) => healthy).length === 2);
    },
    patient,
  );

  it(
    'takes a member back on its data, at another address, without --join',
    async () => {
      const [peerPort = 0] = await freePorts(1);
      settings.set('m3', { ...settingsOf('m3'), peerPort });
      await start('m3', false);
      const url = peerUrl(settingsOf('m3'));
      const members = await membersOnce((all) => all.some(({ peerUrls }) => peerUrls.includes(url)));
      expect(members.find(({ name }) => name === 'm3')).toMatchObject({ peerUrls: [url] });
      await membersOnce((all) => all.every(({ healthy }) => healthy));
    },
    patient,
  );

  it(
    'lets a store go on when its own member is down',
    async () => {
      const third = running.get('m3');
      if (third === undefined) throw new Error('m3 does not run');
      const own = new EtcdStore({ clock, random, log, credentials }, { endpoints: [third.endpoint] });
      followMembers({ store: own, etcd: third, log })(await own.members());
      expect(log.lines.filter(({ event }) => event === 'etcd.endpoints-changed')).toHaveLength(1);
      await stop('m3');
      expect(await read(own, '/b')).toBe('2');
      await own.close();
    },
    patient,
  );

  it(
    'does not take back a member that was removed meanwhile, and says so',
    async () => {
      const request = randomUuid(random) as RequestId;
      await remove('m3', false, request);
      await remove('m3', false, request);
      await expect(remove('m3')).rejects.toMatchObject({ code: 'manager-unknown' });
      await expect(start('m3')).rejects.toMatchObject({
        code: 'manager-removed',
        message: expect.stringMatching(
          /m3 was removed from the cluster.*"causeway leave --service manager".*"causeway join"/,
        ),
      });
      expect(running.get('m3')?.pid).toBeUndefined();
    },
    patient,
  );

  it(
    'gives a learner its vote that was restarted before it had it',
    async () => {
      const { dataDir } = settingsOf('m3');
      await rm(dataDir, { recursive: true, force: true });
      await mkdir(dataDir);
      const binary = await findEtcd();
      if (binary === undefined) throw new Error('no etcd binary');
      await membership().add(peerUrl(settingsOf('m3')));
      const cluster = ['m1', 'm2', 'm3'].map((name) => `${name}=${peerUrl(settingsOf(name))}`).join(',');
      const flags = embeddedFlags(settingsOf('m3'), { state: 'existing', cluster });
      const etcd = await spawnEtcd(binary, flags, join(dataDir, 'etcd.log'));
      await becomesHealthy(
        { etcd, url: endpoint('m3'), credentials },
        clock,
        seconds(20),
        new AbortController().signal,
      );
      expect((await store.members()).find(({ name }) => name === 'm3')).toMatchObject({ learner: true });
      await terminate(etcd, clock);
      await start('m3');
      expect((await store.members()).find(({ name }) => name === 'm3')).toMatchObject({ learner: false });
    },
    patient,
  );

  it(
    'takes back a member that has lost its data as a new member, by itself, and never as the old member',
    async () => {
      await membersOnce((all) => all.length === 3 && all.every(({ healthy }) => healthy));
      const before = (await store.members()).find(({ name }) => name === 'm3');
      await stop('m3');
      await rm(settingsOf('m3').dataDir, { recursive: true, force: true });
      await membersOnce((all) => all.some(({ healthy }) => !healthy));
      await start('m3');
      const after = (await store.members()).filter(({ name }) => name === 'm3');
      expect(after).toMatchObject([{ learner: false, healthy: true, peerUrls: before?.peerUrls }]);
      expect(after[0]?.id).not.toBe(before?.id);
      const third = new EtcdStore({ clock, random, log, credentials }, { endpoints: [endpoint('m3')] });
      expect(await read(third, '/b')).toBe('2');
      await third.close();
    },
    patient,
  );

  it(
    'is not founded again by a manager that has lost its data, nor joined without --join',
    async () => {
      const dataDir = join(directory, 'lost');
      const lost = new EmbeddedEtcd({ clock, random, log, credentials }, { ...settingsOf('m3'), dataDir, name: 'm9' });
      const started = stop('m3').then(() => lost.start());
      await expect(started).rejects.toMatchObject({
        code: 'invalid-argument',
        message: expect.stringMatching(/causeway-manager init --data-dir .*lost.*--join/),
      });
      await start('m3');
      await membersOnce((all) => all.every(({ healthy }) => healthy));
    },
    patient,
  );

  it(
    'shrinks to one member, and the removed members learn of it',
    async () => {
      for (const name of ['m3', 'm2']) {
        const etcd = running.get(name);
        await remove(name);
        while (etcd?.removed.aborted === false) await clock.sleep(milliseconds(20));
        expect(etcd?.removed.reason).toMatchObject({ code: 'manager-removed' });
        await stop(name);
      }
      await expect(remove('m1', true)).rejects.toMatchObject({ code: 'quorum-loss' });
      await write(store, put('/c', '3'));
      expect(await store.members()).toHaveLength(1);
    },
    patient,
  );
});
