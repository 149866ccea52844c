import { emptyKeyring } from '@causeway/encryption';
import type { PrivateKey } from '@causeway/identity';
import { CausewayError } from '@causeway/model';
import { FakeClock, MemoryLog } from '@causeway/runtime/testing';
import { beforeEach, expect, it } from 'vitest';
import { memoryEncryption } from '../testing/encryption.ts';
import { MemoryKeyFile } from '../testing/memory-key-file.ts';
import { OwnKeys } from './own-keys.ts';

const clock = new FakeClock();
const { createKey } = memoryEncryption(clock, 'a1a1a1a1a1a1a1a1' as never);
const first = { reason: 'first', generation: 1, version: 1 } as const;
const shown = (key: PrivateKey | undefined): unknown => key?.export({ format: 'jwk' });

let keyFile: MemoryKeyFile;
let log: MemoryLog;
const ownKeys = (): OwnKeys => new OwnKeys({ keyFile, createKey, clock, log });

beforeEach(() => {
  keyFile = new MemoryKeyFile();
  log = new MemoryLog();
});

it('are none at first', async () => {
  expect((await ownKeys().load()).keyring).toEqual(emptyKeyring);
  expect(keyFile.written).toEqual([]);
});

it('are written down when they are made, and read by the next agent', async () => {
  const keys = ownKeys();
  await keys.keep(emptyKeyring, first);
  const { keyring, keys: made } = await keys.load();
  expect(keyring.generations).toEqual([{ generation: 1, createdAt: clock.wall(), offeredIn: 1 }]);
  const again = await ownKeys().load();
  expect(again.keyring).toEqual(keyring);
  expect(shown(again.keys.get(1))).toEqual(shown(made.get(1)));
  expect(log.lines).toEqual([{ level: 'info', event: 'keys.made', fields: { generation: 1, reason: 'first' } }]);
});

it('are not written again while nothing changes, and erased with their generation', async () => {
  const keys = ownKeys();
  await keys.keep(emptyKeyring, first);
  const { keyring } = await keys.load();
  await keys.keep(keyring);
  const next = ownKeys();
  await next.load();
  await next.keep(keyring);
  expect(keyFile.written).toHaveLength(1);
  await next.keep({ ...keyring, generations: [] });
  expect((await next.load()).keys.size).toBe(0);
  expect(keyFile.text).not.toContain('"d"');
});

it('that are on a disk are used all the same; the log says it once, and again after a restart', async () => {
  keyFile.lasting = '/run/causeway/keys is not on a tmpfs';
  const warnings = (): unknown[] => log.lines.filter(({ event }) => event === 'keys.on-disk');
  const keys = ownKeys();
  await keys.load();
  expect([keys.whyLasting, warnings()]).toEqual([undefined, []]);
  await keys.keep(emptyKeyring, first);
  const { keyring } = await keys.load();
  await keys.keep(keyring, { reason: 'due', generation: 2, version: 2 });
  expect(keys.whyLasting).toBe(keyFile.lasting);
  expect(warnings()).toMatchObject([
    { level: 'warn', fields: { file: keyFile.path, message: expect.stringContaining(`${keyFile.lasting}: a person`) } },
  ]);
  await ownKeys().load();
  expect(warnings()).toHaveLength(2);
});

it.each<[string, () => void, string]>([
  ['are damaged', () => keyFile.damage(), 'data-damaged'],
  ['could be read by others', () => keyFile.fail(new CausewayError('key-exposed', 'mode 644')), 'key-exposed'],
])('that %s are not used; the log says what follows', async (_, harm, code) => {
  await ownKeys().keep(emptyKeyring, first);
  harm();
  const keys = ownKeys();
  expect((await keys.load()).keyring).toEqual(emptyKeyring);
  expect(log.lines.at(-1)).toMatchObject({ level: 'error', event: 'keys.unusable', fields: { code } });
  keyFile.failure = undefined;
  await keys.keep(emptyKeyring, first);
  expect((await ownKeys().load()).keyring.generations).toHaveLength(1);
});

it('that cannot be read now are asked for again, and are not replaced', async () => {
  await ownKeys().keep(emptyKeyring, first);
  keyFile.failure = new Error('EIO');
  const keys = ownKeys();
  await expect(keys.load()).rejects.toThrow('EIO');
  await expect(keys.keep(emptyKeyring, first)).rejects.toThrow('EIO');
  keyFile.failure = undefined;
  expect((await keys.load()).keyring.generations).toHaveLength(1);
  expect(keyFile.written).toHaveLength(1);
});

it('that could not be written down are not there', async () => {
  const keys = ownKeys();
  await keys.load();
  keyFile.failure = new Error('ENOSPC');
  await expect(keys.keep(emptyKeyring, first)).rejects.toThrow('ENOSPC');
  expect((await keys.load()).keyring).toEqual(emptyKeyring);
});
