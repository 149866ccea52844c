import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { milliseconds, minutes } from '@causeway/runtime';
import { systemClock } from '@causeway/runtime/io';
import { MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import { describe, expect, it } from 'vitest';
import { StoreMonitor } from '../../cluster/maintenance/store-monitor.ts';
import { StoreMaintenance } from '../../controllers/store-maintenance.ts';
import { put, read, write } from '../../store/contract/act.ts';
import { Follower } from '../../store/contract/follower.ts';
import { tlsCredentials } from '../etcd/credentials.ts';
import { EtcdStore } from '../etcd/store.ts';
import { etcdMissing, TestEtcd } from '../etcd/testing/index.ts';
import { EtcdMaintenance } from './maintenance.ts';

const missing = await etcdMissing();
const clock = systemClock;
const parts = { clock, random: new SeededRandom(1), log: new MemoryLog() };

describe.skipIf(missing !== undefined)(`etcd${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  it('gets out of NOSPACE without a restart; reads and follows go on meanwhile', async () => {
    const etcd = await TestEtcd.start({ flags: ['--quota-backend-bytes=4194304'] });
    const store = new EtcdStore(parts, { endpoints: [etcd.url] });
    const value = 'x'.repeat(1024 * 1024);
    const follower = new Follower(store, '/');
    let revision = await write(store, put('/small', 'kept'));
    const fill = async (): Promise<never> => {
      for (;;) revision = await write(store, put('/big', value));
    };
    await expect(fill()).rejects.toMatchObject({
      code: 'disk-full',
      message: expect.stringContaining('compact and defragment it by themselves'),
    });
    const [full] = await store.members();
    expect(full).toMatchObject({ healthy: true, alarms: ['NOSPACE'] });
    expect(await read(store, '/small')).toBe('kept');
    await follower.reached(revision);
    const maintenance = new EtcdMaintenance(store.access);
    const history = { history: minutes(60) };
    const view = { revision, leader: undefined };
    const monitor = new StoreMonitor({ ...parts, store, view }, history);
    const end = new AbortController();
    const caring = new StoreMaintenance({ ...parts, maintenance, monitor, view }, history).run(end);
    const { pid } = etcd;
    while ((await store.members())[0]?.alarms.length !== 0) await clock.sleep(milliseconds(100));
    await follower.reached(await write(store, put('/after')));
    expect(await read(store, '/small')).toBe('kept');
    expect((await store.members())[0]?.size).toBeLessThan(full?.size ?? 0);
    expect(etcd.pid).toBe(pid);
    end.abort();
    await caring;
    await follower.stop();
    await store.close();
    await etcd.stop();
  });

  it('speaks TLS with a certificate of its own, and is refused without', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'causeway-tls-'));
    const files = await makeCertificates(directory);
    const etcd = await TestEtcd.start({ tls: files });
    const store = new EtcdStore({ ...parts, credentials: await tlsCredentials(files) }, { endpoints: [etcd.url] });
    await write(store, put('/a', '1'));
    expect(await read(store, '/a')).toBe('1');
    expect(await store.members()).toMatchObject([{ healthy: true, clientUrls: [etcd.url] }]);
    const stranger = new EtcdStore(
      { ...parts, credentials: await tlsCredentials({ caCert: files.caCert }) },
      { endpoints: [etcd.url], callTimeout: milliseconds(500) },
    );
    await expect(stranger.get('/a')).rejects.toMatchObject({ code: 'store-unavailable' });
    const misled = new EtcdStore(
      { ...parts, credentials: await tlsCredentials({ ...files, caCert: (await makeCertificates(directory)).caCert }) },
      { endpoints: [etcd.url], callTimeout: milliseconds(500) },
    );
    await expect(misled.get('/a')).rejects.toMatchObject({ code: 'store-unavailable' });
    await Promise.all([store.close(), stranger.close(), misled.close()]);
    await etcd.stop();
    await rm(directory, { recursive: true });
  });

  it('names the flag whose file is not what it should be', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'causeway-tls-'));
    const files = await makeCertificates(directory);
    const garbage = join(directory, 'garbage');
    await writeFile(garbage, 'garbage');
    const other = await makeCertificates(directory);
    await expect(tlsCredentials({ ...files, caCert: join(directory, 'none') })).rejects.toMatchObject({
      data: { field: '--etcd-cacert' },
      message: expect.stringContaining('ENOENT'),
    });
    await expect(tlsCredentials({ ...files, key: garbage })).rejects.toMatchObject({ data: { field: '--etcd-key' } });
    await expect(tlsCredentials({ ...files, key: other.key })).rejects.toMatchObject({
      data: { field: '--etcd-cert' },
    });
    await rm(directory, { recursive: true });
  });
});

const run = promisify(execFile);

/** Makes an authority and a certificate for 127.0.0.1, which both etcd and its clients can use. */
async function makeCertificates(parent: string): Promise<{ caCert: string; cert: string; key: string }> {
  const directory = await mkdtemp(join(parent, 'pki-'));
  const [caKey, caCert, key, request, cert, extensions] = ['ca.key', 'ca.pem', 'key.pem', 'csr', 'cert.pem', 'ext'].map(
    (name) => join(directory, name),
  ) as [string, string, string, string, string, string];
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  await writeFile(extensions, 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n');
  await run('openssl', [
    'req',
    '-x509',
    ...ec,
    '-keyout',
    caKey,
    '-out',
    caCert,
    '-subj',
    '/CN=test authority',
    '-days',
    '2',
  ]);
  await run('openssl', ['req', ...ec, '-keyout', key, '-out', request, '-subj', '/CN=etcd']);
  const sign = ['x509', '-req', '-in', request, '-CA', caCert, '-CAkey', caKey, '-CAcreateserial', '-out', cert];
  await run('openssl', [...sign, '-days', '2', '-extfile', extensions]);
  return { caCert, cert, key };
}
