import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { seconds } from '@causeway/runtime';
import { systemClock } from '@causeway/runtime/io';
import { MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { put, read, write } from '../../store/contract/act.ts';
import { etcdIdentity } from '../../testing/etcd-identity.ts';
import type { EtcdCredentials } from '../etcd/credentials.ts';
import { EtcdStore } from '../etcd/store.ts';
import { etcdMissing, freePorts, listen, portOf } from '../etcd/testing/index.ts';
import { findEtcd } from './binary.ts';
import { EmbeddedEtcd, type EmbeddedEtcdParts, embeddedDefaults } from './embedded-etcd.ts';
import { becomesHealthy, spawnEtcd } from './etcd-process.ts';
import { exitReason } from './exit-reason.ts';
import { allowFounding, FirstStart } from './first-start.ts';
import { clientUrl, type EtcdTls, embeddedEnvironment, embeddedFlags } from './flags.ts';
import { checkDirectory } from './init-command.ts';
import { askOwnMember } from './own-member.ts';
import { findRunning } from './running-etcd.ts';

const missing = await etcdMissing();

describe.skipIf(missing !== undefined)(`EmbeddedEtcd${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  const random = new SeededRandom(1);
  let dataDir: string;
  let clientPort: number;
  let peerPort: number;
  let log: MemoryLog;
  let identities: string;
  let credentials: EtcdCredentials;
  let tls: EtcdTls;
  const cleanups: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    identities = await mkdtemp(join(tmpdir(), 'causeway-identities-'));
    ({ credentials, tls } = await etcdIdentity('m1', identities));
  });
  afterAll(() => rm(identities, { recursive: true }));

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'causeway-embedded-'));
    [clientPort = 0, peerPort = 0] = await freePorts(2);
    log = new MemoryLog();
    await allowFounding(dataDir);
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
    await rm(dataDir, { recursive: true, force: true });
  });

  const create = (parts: Partial<EmbeddedEtcdParts> = {}, directory = dataDir): EmbeddedEtcd => {
    const etcd = new EmbeddedEtcd(
      { clock: systemClock, random, log, credentials, ...parts },
      { name: 'm1', dataDir: directory, clientPort, peerPort, tls },
    );
    cleanups.push(() => etcd.stop());
    return etcd;
  };

  const open = (etcd: EmbeddedEtcd): EtcdStore => {
    const store = new EtcdStore({ clock: systemClock, random, log, credentials }, { endpoints: [etcd.endpoint] });
    cleanups.push(() => store.close());
    return store;
  };

  /** Leaves an etcd running on the directory, as a killed manager does. */
  const leaveRunning = async (port = clientPort): Promise<number> => {
    const binary = await findEtcd();
    if (binary === undefined) throw new Error('no etcd binary');
    await mkdir(join(dataDir, 'etcd'), { mode: 0o700 });
    const settings = { ...embeddedDefaults, name: 'm1', dataDir, clientPort: port, peerPort, tls };
    const flags = embeddedFlags(settings, { state: 'new', cluster: `m1=https://127.0.0.1:${peerPort}` });
    const etcd = await spawnEtcd(binary, flags, join(dataDir, 'etcd.log'));
    const never = new AbortController().signal;
    const url = clientUrl({ clientPort: port });
    expect(await becomesHealthy({ etcd, url, credentials }, systemClock, seconds(20), never)).toBe(true);
    return etcd.pid;
  };

  it('serves, leaves nothing running when stopped, and keeps what was written', async () => {
    const etcd = create();
    await etcd.start();
    await write(open(etcd), put('/a', '1'));
    const { pid } = etcd;
    await etcd.stop();
    expect(etcd.pid).toBeUndefined();
    expect(existsSync(`/proc/${pid}`)).toBe(false);
    const again = create();
    await again.start();
    expect(await read(open(again), '/a')).toBe('1');
  });

  it('starts etcd again after kill -9, and the store resumes', async () => {
    const etcd = create();
    await etcd.start();
    const store = open(etcd);
    await write(store, put('/a', '1'));
    const first = etcd.pid ?? 0;
    process.kill(first, 'SIGKILL');
    expect(await read(store, '/a')).toBe('1');
    expect(etcd.pid).not.toBe(first);
    expect(log.lines).toContainEqual(
      expect.objectContaining({ event: 'etcd.exited', fields: expect.objectContaining({ reason: 'signal SIGKILL' }) }),
    );
  });

  it('takes over the etcd of a manager that was killed, and ends it in the end', async () => {
    const pid = await leaveRunning();
    const etcd = create();
    await etcd.start();
    expect(etcd.pid).toBe(pid);
    await write(open(etcd), put('/a'));
    await etcd.stop();
    expect(findRunning(dataDir)).toBeUndefined();
  });

  it('starts an etcd when the etcd that it took over ends', async () => {
    const pid = await leaveRunning();
    const etcd = create();
    await etcd.start();
    const store = open(etcd);
    await write(store, put('/a'));
    process.kill(pid, 'SIGKILL');
    expect(await read(store, '/a')).toBe('x');
    expect(etcd.pid).not.toBe(pid);
  });

  it('replaces a running etcd that has other flags', async () => {
    const [otherPort = 0] = await freePorts(1);
    const pid = await leaveRunning(otherPort);
    const etcd = create();
    await etcd.start();
    expect(etcd.pid).not.toBe(pid);
    await write(open(etcd), put('/a'));
  });

  it('finds its etcd by the directory, in whatever mounts, and no etcd whose path only reads the same', async () => {
    // Without the right to mount, a test process ends at once, and only the first process is there to be found.
    const flag = `--data-dir=${join(dataDir, 'etcd')}`;
    const run = (...words: readonly string[]): ChildProcess => spawn(words[0] ?? '', [...words.slice(1), flag]);
    const script = 'process.stdout.write("on"); setInterval(() => {}, 1000)';
    const node = [process.execPath, '-e', script, '--'] as const;
    const mounted = `mount -t tmpfs none ${dataDir} && exec "$@"`;
    const here = run(...node);
    const inOwnMounts = run('unshare', '--mount', ...node);
    const elsewhere = run('unshare', '--mount', 'sh', '-c', mounted, 'sh', ...node);
    const isOn = (child: ChildProcess): Promise<unknown> =>
      Promise.race([once(child.stdout ?? child, 'data'), once(child, 'exit')]);
    await Promise.all([here, inOwnMounts, elsewhere].map(isOn));
    const found = new Set<number | undefined>();
    for (let next = findRunning(dataDir); next !== undefined; next = findRunning(dataDir)) {
      found.add(next.pid);
      const child = [here, inOwnMounts, elsewhere].find(({ pid }) => pid === next?.pid);
      child?.kill('SIGKILL');
      if (child !== undefined) await once(child, 'exit');
    }
    const isRoot = process.getuid?.() === 0;
    expect(found).toEqual(new Set(isRoot ? [here.pid, inOwnMounts.pid] : [here.pid]));
    elsewhere.kill('SIGKILL');
  });

  it('says what to install when there is no binary', async () => {
    const etcd = create({ findBinary: async () => undefined });
    await expect(etcd.start()).rejects.toMatchObject({
      code: 'capability-missing',
      message: expect.stringContaining('etcd-server'),
    });
  });

  it('names the flag and the path of a directory that cannot be written', async () => {
    const file = join(dataDir, 'file');
    await writeFile(file, '');
    await expect(create({}, join(file, 'below')).start()).rejects.toMatchObject({
      code: 'invalid-argument',
      data: { field: 'data-dir', path: join(file, 'below', 'etcd') },
      message: expect.stringContaining('ENOTDIR'),
    });
  });

  it.each(['etcd-client-port', 'etcd-peer-port'])('names --%s when that port is taken', async (flag) => {
    const server = await listen();
    const port = portOf(server);
    if (flag === 'etcd-client-port') clientPort = port;
    else peerPort = port;
    await expect(create().start()).rejects.toMatchObject({ code: 'listen-failed', data: { field: flag, port } });
    await new Promise((resolve) => server.close(resolve));
  });

  it('begins anew when its very first start was cut off, and never after that', async () => {
    const database = join(dataDir, 'etcd', 'member', 'snap', 'db');
    const spoil = async (): Promise<void> => {
      await mkdir(dirname(database), { recursive: true });
      await writeFile(database, 'unfinished');
    };
    await new FirstStart(dataDir).begin();
    await spoil();
    const etcd = create();
    await etcd.start();
    await write(open(etcd), put('/a'));
    await etcd.stop();
    expect(await readFile(join(dataDir, 'etcd.unfinished', 'snap', 'db'), 'utf8')).toBe('unfinished');
    await spoil();
    await expect(create().start()).rejects.toMatchObject({ code: 'store-unavailable' });
    expect(await readFile(database, 'utf8')).toBe('unfinished');
  });

  it('founds a cluster only where that was said, once: what said it is gone when the cluster has begun', async () => {
    const first = create();
    await first.start();
    await first.stop();
    await expect(checkDirectory(dataDir)).rejects.toMatchObject({ code: 'invalid-argument' });
    await rm(join(dataDir, 'etcd'), { recursive: true });
    await expect(create().start()).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining(`causeway-manager init --data-dir ${dataDir}`),
    });
    await allowFounding(dataDir);
    await create().start();
  });

  it('never makes the same etcd cluster twice', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 2; i++) {
      const etcd = create();
      await etcd.start();
      ids.push((await askOwnMember({ clock: systemClock, log, credentials }, etcd.endpoint)).cluster);
      await etcd.stop();
      await rm(join(dataDir, 'etcd'), { recursive: true });
      await allowFounding(dataDir);
    }
    expect(ids[0]).not.toBe(ids[1]);
  });

  it('quotes etcd when it cannot start on what it finds', async () => {
    await mkdir(join(dataDir, 'etcd', 'member', 'snap'), { recursive: true });
    await writeFile(join(dataDir, 'etcd', 'member', 'snap', 'db'), 'this is not a database');
    await expect(create().start()).rejects.toMatchObject({
      code: 'store-unavailable',
      message: expect.stringContaining('failed to open database: invalid database'),
    });
    expect(findRunning(dataDir)).toBeUndefined();
  });

  it.each([
    ['{"level":"fatal","msg":"m","error":"e"}\npanic: p\n\ngoroutine 1', 'm: e'],
    ['{"level":"warn","msg":"m"}\npanic: p\n\ngoroutine 1 [running]:\n', 'panic: p'],
    ['error verifying flags, unknown flag\n', 'error verifying flags, unknown flag'],
    ['{"level":"fatal"}\n', '{"level":"fatal"}'],
    ['', 'nothing'],
  ])('finds the reason in %j', (text, words) => {
    expect(exitReason(text)).toBe(words);
  });

  it('lets no variable of etcd contradict its flags', () => {
    const environment = { PATH: '/bin', ETCD_NAME: 'x', ETCD_UNSUPPORTED_ARCH: 'arm64' };
    expect(embeddedEnvironment(environment)).toEqual({ PATH: '/bin', ETCD_UNSUPPORTED_ARCH: 'arm64' });
  });
});
