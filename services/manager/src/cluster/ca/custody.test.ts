import {
  createSealingKey,
  formatSealingKeyFile,
  keysOf,
  lock,
  openFile,
  publicKeyFor,
  type SealingKeyFile,
  sealAuthority,
  sealFor,
  toBase64,
} from '@causeway/identity';
import { createKey } from '@causeway/identity/io';
import type { ClusterId } from '@causeway/model';
import { MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Ca } from '../../store/records/ca.ts';
import type { View } from '../../store/view.ts';
import { Custody, sealingKeyPurpose, unlockKeyFrom } from './custody.ts';

const cluster = 'c1c1c1c1c1c1c1c1' as ClusterId;
const random = new SeededRandom(1);
const [former, next] = [createSealingKey(random), createSealingKey(random)];
const own = createKey();
const renewed = createKey();
const caKey = createKey();
let kept: SealingKeyFile[];
let log: MemoryLog;
let present = own;
let changed: (() => void)[];

beforeEach(() => {
  kept = [];
  present = own;
  changed = [];
  log = new MemoryLog();
});

const onChange = (listener: () => void): (() => void) => {
  changed.push(listener);
  return () => undefined;
};

function renew(): void {
  present = renewed;
  for (const listener of changed) listener();
}

function custody(file: SealingKeyFile = openFile(cluster, [former])): Custody {
  const parts = { keep: async (each: SealingKeyFile) => void kept.push(each), createKey, log };
  return new Custody({ ...parts, own: { name: 'm2', key: () => present, onChange } }, file);
}

/** The record of a CA whose key is sealed with the next sealing key. */
function caWith(fields: Partial<Ca>): Pick<View, 'ca' | 'subscribe'> {
  const signer = { kind: 'sealed', key: sealAuthority(caKey, next, cluster, random) };
  return { ca: { value: { signer, ...fields } }, subscribe: () => () => undefined } as never;
}

const sealedFor = (name: string, key = own) => ({
  [name]: toBase64(
    sealFor(publicKeyFor(key), next, { cluster, purpose: sealingKeyPurpose }, { ephemeral: createKey(), random }),
  ),
});

describe('a manager gets the sealing key that the managers have changed to', () => {
  test('which is sealed for the key of its certificate; it keeps the former key for backups', async () => {
    const it = custody();
    it.follow(caWith({ sealingKeys: sealedFor('m2') }));
    await vi.waitFor(() => expect(kept).toEqual([openFile(cluster, [next, former])]));
    expect(it.keyOf({ key: sealAuthority(caKey, next, cluster, random) })).toEqual(next);
    expect(it.keyOf({ key: sealAuthority(caKey, former, cluster, random) })).toEqual(former);
  });

  test('also if it learns of that before its own renewal, or after', async () => {
    const before = custody();
    before.follow(caWith({ sealingKeys: sealedFor('m2', renewed) }));
    await vi.waitFor(() => expect(log.lines.map(({ event }) => event)).toEqual(['ca.sealing-key-missing']));
    renew();
    await vi.waitFor(() => expect(kept).toEqual([openFile(cluster, [next, former])]));
    present = own;
    const after = custody();
    const view = caWith({ sealingKeys: sealedFor('m2') });
    const { ca } = view;
    after.follow(Object.assign(view, { ca: undefined }));
    renew();
    after.follow(Object.assign(view, { ca }));
    await vi.waitFor(() => expect(after.sealingKeys).toEqual([next, former]));
  });

  test('by the lock, if managers are locked; its file stays locked', async () => {
    const unlockKey = unlockKeyFrom(former, cluster, 'some id');
    const file = formatSealingKeyFile(lock(openFile(cluster, [next, former]), unlockKey, random));
    const it = custody();
    it.follow(caWith({ autolock: { id: 'some id', file } }));
    await vi.waitFor(() => expect(kept.map(({ state }) => state)).toEqual(['locked']));
    expect(it.sealingKeys).toEqual([next, former]);
    const locked = custody(kept[0]);
    locked.unlock(unlockKey);
    expect(locked.sealingKeys).toEqual([next, former]);
  });
});

test('a manager that was removed before cannot open what is sealed for others', async () => {
  const it = custody();
  it.follow(caWith({ sealingKeys: sealedFor('m3') }));
  await vi.waitFor(() => expect(log.lines.map(({ event }) => event)).toEqual(['ca.sealing-key-missing']));
  expect(it.sealingKeys).toEqual([former]);
  expect(kept).toEqual([]);
});

test('a key that is added is on disk before it is used', async () => {
  const it = custody();
  await it.add(next, former);
  expect(kept.map((file) => file.state === 'open' && keysOf(file))).toEqual([[next, former]]);
});

test('keys that come to no use do not push the key that is in use out of the file, and the same key is added once', async () => {
  const it = custody();
  for (let i = 0; i < 20; i++) {
    const key = createSealingKey(random);
    for (let tries = 0; tries < 2; tries++) await it.add(key, former);
    expect(it.sealingKeys.slice(0, 2)).toEqual([key, former]);
  }
  expect(it.sealingKeys).toHaveLength(21);
  const file = kept.at(-1);
  expect(file?.state === 'open' && keysOf(file)).toEqual(it.sealingKeys.slice(0, 16));
});
