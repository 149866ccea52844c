import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SeededRandom } from '@causeway/runtime/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Credential } from '../credential.ts';
import { managerDnsName } from '../name.ts';
import { agent, authorityOf, cluster, credentialOf, manager, name } from '../testing/fixtures.ts';
import { crossSign } from '../x509/issue.ts';
import { identityPaths, revokedPath, writeCredential, writeRevoked } from './identity-directory.ts';

/** etcd as an oracle: Go's TLS takes the same files, and etcd admits only managers. */
const absent = ['etcd', 'etcdctl'].find((program) => spawnSync(program, ['version']).error !== undefined);
const missing = absent === undefined ? undefined : `skipped: ${absent} is missing`;
if (missing !== undefined && process.env['CI'] === 'true') throw new Error(missing);

const directory = mkdtempSync(join(tmpdir(), 'causeway-etcd-'));
const root = authorityOf(1, cluster, Date.now());
const own = credentialOf(root, manager, { at: Date.now(), hosts: ['127.0.0.1'] });
let etcd: ChildProcess | undefined;
let url = '';

/** etcdctl tries again until then, also when it was refused. */
const limits = ['--dial-timeout', '2s', '--command-timeout', '2s'];

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return address !== null && typeof address === 'object' ? address.port : 0;
}

async function filesOf(credential: Credential, folder: string): Promise<{ identity: string; trust: string }> {
  const path = join(directory, folder);
  await writeCredential(path, credential);
  return identityPaths(path);
}

async function ask(credential: Credential, folder: string): Promise<string> {
  const { identity, trust } = await filesOf(credential, folder);
  const files = ['--cert', identity, '--key', identity, '--cacert', trust];
  const { status, stdout, stderr } = spawnSync(
    'etcdctl',
    ['--endpoints', url, ...files, ...limits, 'put', 'key', 'value'],
    {
      encoding: 'utf8',
    },
  );
  return status === 0 ? stdout.trim() : stderr;
}

describe.skipIf(missing !== undefined)(`etcd${missing === undefined ? '' : ` (${missing})`}`, () => {
  beforeAll(async () => {
    const server = await filesOf(own, 'etcd');
    await writeRevoked(join(directory, 'etcd'), own, [], Date.now());
    const [client, peer] = [await freePort(), await freePort()];
    url = `https://127.0.0.1:${client}`;
    const peerUrl = `https://127.0.0.1:${peer}`;
    const tls = (prefix: string): string[] => [
      `--${prefix}cert-file=${server.identity}`,
      `--${prefix}key-file=${server.identity}`,
      `--${prefix}trusted-ca-file=${server.trust}`,
      `--${prefix}client-cert-auth`,
      `--${prefix === '' ? 'client-' : prefix}crl-file=${revokedPath(join(directory, 'etcd'))}`,
    ];
    const allowed = managerDnsName(cluster);
    const urls = [`--listen-client-urls=${url}`, `--advertise-client-urls=${url}`, `--listen-peer-urls=${peerUrl}`];
    const members = [`--initial-advertise-peer-urls=${peerUrl}`, `--initial-cluster=default=${peerUrl}`];
    const names = [`--client-cert-allowed-hostname=${allowed}`, `--peer-cert-allowed-hostname=${allowed}`];
    const args = [`--data-dir=${join(directory, 'data')}`, ...urls, ...members, ...tls(''), ...tls('peer-'), ...names];
    etcd = spawn('etcd', [...args, '--tls-min-version=TLS1.3'], { stdio: ['ignore', 'ignore', 'pipe'] });
    await serving(etcd);
  });

  afterAll(async () => {
    if (etcd?.kill('SIGKILL')) await once(etcd, 'exit');
    rmSync(directory, { recursive: true, force: true });
  });

  test('serves a manager', async () =>
    expect(await ask(credentialOf(root, manager, { at: Date.now(), seed: 101 }), 'manager')).toBe('OK'));

  test('serves a manager of the next root, while the CA rotates', async () => {
    const at = Date.now();
    const next = authorityOf(5, cluster, at);
    const cross = crossSign(root, next.certificate, { now: at, random: new SeededRandom(6) });
    const renewed = credentialOf(next, manager, { at, seed: 104 });
    const chain = [renewed.chain[0], cross] as const;
    expect(await ask({ ...renewed, chain, trust: [root.certificate, next.certificate] }, 'renewed')).toBe('OK');
  });

  test('refuses an agent of the same cluster', async () =>
    expect(await ask(credentialOf(root, agent, { at: Date.now(), seed: 102 }), 'agent')).not.toContain('OK'));

  test('refuses a manager from the moment when its certificate is in the list of revoked certificates, and serves others', async () => {
    const removed = credentialOf(root, name('manager', 'm2'), { at: Date.now(), seed: 105 });
    const other = credentialOf(root, name('manager', 'm3'), { at: Date.now(), seed: 106 });
    expect(await ask(removed, 'removed')).toBe('OK');
    await writeRevoked(join(directory, 'etcd'), own, ['a1', removed.chain[0].serial], Date.now());
    expect(await ask(removed, 'removed')).not.toContain('OK');
    expect(await ask(other, 'other')).toBe('OK');
    await writeRevoked(join(directory, 'etcd'), own, [], Date.now());
    expect(await ask(removed, 'removed')).toBe('OK');
  });

  test('refuses a manager of another CA', async () => {
    const stranger = credentialOf(authorityOf(2, cluster, Date.now()), manager, { at: Date.now(), seed: 103 });
    expect(await ask({ ...stranger, trust: [root.certificate] }, 'stranger')).not.toContain('OK');
  });
});

/** Resolves when etcd says that it serves clients. */
function serving({ stderr }: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    stderr?.on('data', (part: Buffer) => {
      said += String(part);
      if (said.includes('serving client traffic securely')) resolve();
    });
    stderr?.once('end', () => reject(new Error(`etcd ended: ${said.slice(-1_000)}`)));
  });
}
