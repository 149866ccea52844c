import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Authority,
  formatPrivateKey,
  formatTrustBundle,
  hasSealedAuthority,
  issueRoot,
  openAuthority,
  verifyPeer,
} from '@causeway/identity';
import { createKey, identityDirectory, readCredential, writeSecretFile } from '@causeway/identity/io';
import { type ClusterId, unwrap } from '@causeway/model';
import { minutes } from '@causeway/runtime';
import { FakeClock, MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Founding } from '../cluster/bootstrap.ts';
import type { ExternalCa } from '../cluster/ca/external-ca.ts';
import { ExternalSigner } from '../cluster/ca/external-signer.ts';
import { records } from '../store/records/index.ts';
import { MemoryCa } from '../testing/memory-ca.ts';
import { type FoundingSettings, prepareCluster } from './found.ts';
import { readFounding, writeFounding } from './founding-file.ts';
import { readSealingKey } from './sealing-key-file.ts';

const clock = new FakeClock();
const random = new SeededRandom(5);
/** What `--ca-program` names, by its path. */
const programs = new Map<string, ExternalCa>();
const caProgram = (path: string): ExternalSigner => {
  const program = programs.get(path);
  if (program === undefined) throw new Error(`no program ${path}`);
  return new ExternalSigner({ ca: program, clock, log: new MemoryLog() });
};
let root: string;
let dataDir: string;
let operatorDir: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'causeway-found-'));
  dataDir = join(root, 'manager');
  operatorDir = join(root, 'operator');
});
afterEach(() => rm(root, { recursive: true }));

function prepare(fields: Partial<FoundingSettings> = {}): Promise<Founding> {
  const settings = { dataDir, name: 'm1', hosts: ['127.0.0.1', '10.0.0.1'], operator: 'admin', life: minutes(60) };
  return prepareCluster({ clock, random, caProgram }, { ...settings, operatorDirectory: () => operatorDir, ...fields });
}

async function names(founding: Founding): Promise<readonly string[]> {
  const found = await Promise.all([identityDirectory(dataDir), operatorDir].map(readCredential));
  return found.map(({ chain, trust }) => {
    expect(formatTrustBundle(trust)).toBe(formatTrustBundle(founding.ca.roots));
    const expected = { cluster: founding.clusterId, roles: ['manager', 'operator'] as const, trust };
    const { name, certificate } = unwrap(verifyPeer(chain, { ...expected, now: clock.wall() }));
    expect(founding.certificates.map(({ serial }) => serial)).toContain(certificate.serial);
    return `${name.role}/${name.id}`;
  });
}

/** Certificates cannot be compared as objects: they remember what they were asked. */
function textOf(founding: Founding | undefined): string {
  return JSON.stringify([founding, founding && records.ca.codec.toJson(founding.ca)], (key, value) =>
    key === 'ca' ? undefined : value,
  );
}

test('a cluster is prepared: its CA, and the credentials of the manager and of the operator', async () => {
  const founding = await prepare();
  expect(await names(founding)).toEqual(['manager/m1', 'operator/admin']);
  const file = await readSealingKey(dataDir);
  const [certificate] = founding.ca.roots;
  if (file?.state !== 'open' || certificate === undefined) throw new Error('the manager is locked');
  const sealed = { certificate, key: founding.ca.signer.key };
  expect(openAuthority(sealed, file.key, founding.clusterId, clock.wall()).ok).toBe(true);
  const { chain } = await readCredential(identityDirectory(dataDir));
  expect(chain[0].x509.subjectAltName).toContain('IP Address:10.0.0.1');
  expect(chain[0].notAfter - clock.wall()).toBe(minutes(60));
});

test('only their owner may read the files with keys', async () => {
  await prepare();
  const files = ['founding.json', 'sealing-key.json', 'identity/identity.pem'].map((name) => join(dataDir, name));
  for (const path of [...files, join(operatorDir, 'identity.pem')]) expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('the CA key is in no file as it is', async () => {
  const made: string[] = [];
  const founding = await prepare();
  for (const directory of [dataDir, identityDirectory(dataDir), operatorDir])
    for (const entry of await readdir(directory, { withFileTypes: true }))
      if (entry.isFile()) made.push(await readFile(join(directory, entry.name), 'utf8'));
  const file = await readSealingKey(dataDir);
  const [certificate] = founding.ca.roots;
  if (file?.state !== 'open' || certificate === undefined) throw new Error('the manager is locked');
  const sealed = { certificate, key: founding.ca.signer.key };
  const { key } = unwrap(openAuthority(sealed, file.key, founding.clusterId, clock.wall()));
  const [, secret = ''] = formatPrivateKey(key).split('\n');
  expect(secret.length).toBeGreaterThan(30);
  expect(made.join()).not.toContain(secret);
});

test('said again, it is the same cluster with the same files', async () => {
  const founding = await prepare();
  const before = await readFile(join(dataDir, 'identity/identity.pem'), 'utf8');
  expect(textOf(await prepare())).toBe(textOf(founding));
  expect(await readFile(join(dataDir, 'identity/identity.pem'), 'utf8')).toBe(before);
});

test('for another manager it is refused', async () => {
  await prepare();
  await expect(prepare({ name: 'm2' })).rejects.toMatchObject({
    code: 'invalid-argument',
    data: { field: '--name', value: 'm2' },
  });
});

describe('after a crash', () => {
  test.each<[string, (founding: Founding) => Promise<unknown>]>([
    ['before the sealing key', () => rm(join(dataDir, 'sealing-key.json'))],
    ['before the manager’s credential', () => rm(join(dataDir, 'identity'), { recursive: true })],
    ['before the operator’s credential', () => rm(operatorDir, { recursive: true })],
    ['before the operator’s record', (founding) => forget(founding, 'operator')],
    ['within the operator’s credential', () => rm(join(operatorDir, 'identity.pem'))],
    [
      'between two files of different attempts',
      (founding) => writeFounding(dataDir, { ...founding, clusterId: other }),
    ],
  ])('%s, a repetition makes a whole cluster', async (_, lose) => {
    await lose(await prepare());
    const founding = await prepare();
    expect(await names(founding)).toEqual(['manager/m1', 'operator/admin']);
    expect(textOf(await readFounding(dataDir))).toBe(textOf(founding));
    expect((await readSealingKey(dataDir))?.cluster).toBe(founding.clusterId);
    expect(founding.certificates.map(({ role }) => role)).toEqual(['manager', 'operator']);
  });
});

const other = 'fedcba9876543210' as ClusterId;

async function forget(founding: Founding, gone: string): Promise<void> {
  await writeFounding(dataDir, {
    ...founding,
    certificates: founding.certificates.filter(({ role }) => role !== gone),
  });
}

test('a damaged founding.json is not taken for an empty directory, and is not quoted', async () => {
  await prepare();
  await writeSecretFile(join(dataDir, 'founding.json'), '{"clusterId": "secret');
  const refused = await prepare().catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'data-damaged' });
  expect(String((refused as Error).message)).not.toContain('secret');
  expect((refused as Error).cause).toBeUndefined();
});

describe('with a CA of the operator’s own', () => {
  const certificate = (): string => join(root, 'ca.pem');
  const key = (): string => join(root, 'ca.key');

  async function bring(mode = 0o600): Promise<Authority> {
    const own = createKey();
    const made = issueRoot(other, own, { now: clock.wall(), random });
    await writeFile(certificate(), formatTrustBundle([made]));
    await writeFile(key(), formatPrivateKey(own));
    await chmod(key(), mode);
    return { certificate: made, key: own };
  }

  test('that CA signs', async () => {
    const { certificate: brought } = await bring();
    const founding = await prepare({ ca: { certificate: certificate(), key: key() } });
    expect(formatTrustBundle(founding.ca.roots)).toBe(formatTrustBundle([brought]));
    expect(await names(founding)).toEqual(['manager/m1', 'operator/admin']);
  });

  test('a key that others may read is refused', async () => {
    await bring(0o644);
    const refused = prepare({ ca: { certificate: certificate(), key: key() } });
    await expect(refused).rejects.toMatchObject({ code: 'key-exposed' });
  });

  test('a key of another certificate is refused', async () => {
    await bring();
    await writeSecretFile(key(), formatPrivateKey(createKey()));
    const refused = prepare({ ca: { certificate: certificate(), key: key() } });
    await expect(refused).rejects.toMatchObject({ code: 'certificate-invalid', data: { field: '--ca-cert' } });
  });

  test('a file that is not there is named', async () => {
    const refused = prepare({ ca: { certificate: certificate(), key: key() } });
    await expect(refused).rejects.toMatchObject({ code: 'invalid-argument', data: { field: '--ca-cert' } });
  });
});

describe('with a CA that is a program of the operator’s', () => {
  const certificate = (): string => join(root, 'ca.pem');
  const ca = () => ({ certificate: certificate(), program: '/srv/ca' });

  async function bring(): Promise<MemoryCa> {
    const own = createKey();
    const made = issueRoot(other, own, { now: clock.wall(), random });
    await writeFile(certificate(), formatTrustBundle([made]));
    const program = new MemoryCa({ createKey, random, cluster: other }, { certificate: made, key: own });
    programs.set('/srv/ca', program);
    return program;
  }

  test('the program signs, and the store has no key of a CA', async () => {
    const { orders } = await bring();
    const founding = await prepare({ ca: ca() });
    expect(await names(founding)).toEqual(['manager/m1', 'operator/admin']);
    expect(orders.map(({ uri }) => uri)).toEqual([
      `spiffe://${founding.clusterId}/manager/m1`,
      `spiffe://${founding.clusterId}/operator/admin`,
    ]);
    expect(orders[0]?.ipAddresses).toEqual(['127.0.0.1', '10.0.0.1']);
    expect(founding.ca.signer.kind).toBe('external');
    const file = await readSealingKey(dataDir);
    const [rootOf] = founding.ca.roots;
    if (file?.state !== 'open' || rootOf === undefined) throw new Error('the manager is locked');
    expect(hasSealedAuthority(file.key, founding.ca.signer.key)).toBe(true);
    const opened = openAuthority({ certificate: rootOf, key: founding.ca.signer.key }, file.key, other, clock.wall());
    expect(opened.ok).toBe(false);
    expect(textOf(await readFounding(dataDir))).toBe(textOf(founding));
  });

  test('said again, it is the same cluster; what is missing is asked of the program', async () => {
    const { orders } = await bring();
    const founding = await prepare({ ca: ca() });
    expect(textOf(await prepare())).toBe(textOf(founding));
    await rm(operatorDir, { recursive: true });
    await expect(prepare()).rejects.toMatchObject({ code: 'invalid-argument', data: { field: '--ca-program' } });
    expect(await names(await prepare({ ca: ca() }))).toEqual(['manager/m1', 'operator/admin']);
    expect(orders).toHaveLength(3);
  });

  test('a program that fails is named, and nothing is written', async () => {
    (await bring()).fail('it ended with status 3');
    const refused = { code: 'external-ca-failed', message: expect.stringContaining('it ended with status 3') };
    await expect(prepare({ ca: ca() })).rejects.toMatchObject(refused);
    expect(await readFounding(dataDir)).toBeUndefined();
  });

  test('a certificate that is not what was ordered is not used', async () => {
    const own = await bring();
    own.change(() => formatTrustBundle([issueRoot(other, createKey(), { now: clock.wall(), random })]));
    const why = /^what the CA of the test has printed is not used: .* it is of another key than the request$/;
    await expect(prepare({ ca: ca() })).rejects.toMatchObject({ message: expect.stringMatching(why) });
    expect(await readFounding(dataDir)).toBeUndefined();
  });

  test('a certificate that is not a CA is refused', async () => {
    await bring();
    await prepare();
    const [member] = (await readCredential(operatorDir)).chain;
    await writeFile(certificate(), formatTrustBundle([member]));
    dataDir = join(root, 'second');
    const refused = { code: 'certificate-invalid', data: { field: '--ca-cert' } };
    await expect(prepare({ ca: ca() })).rejects.toMatchObject(refused);
  });
});
