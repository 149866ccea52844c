import { createToken, formatPin, hashSecret, type TokenId, tokenBytes } from '@causeway/identity';
import { unwrap } from '@causeway/model';
import { FakeClock, SeededRandom } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { createKeys } from '../../store/keys.ts';
import { MemoryStore } from '../../store/memory.ts';
import { records } from '../../store/records/index.ts';
import type { Removal } from '../../store/records/removal.ts';
import { renewRevocations } from './renew-revocations.ts';

const now = 1_795_737_600_000;
const hour = 3_600_000;
const keys = createKeys();
const random = new SeededRandom(1);
const pin = new Uint8Array(32);
let store: MemoryStore;

beforeEach(() => {
  store = new MemoryStore({ clock: new FakeClock() });
});

const put = (key: string, value: Uint8Array) => store.txn([], [{ kind: 'put', key, value }]);

async function token(fields: { readonly expires?: number; readonly revoked?: number } = {}): Promise<TokenId> {
  const made = createToken({ role: 'agent', pin }, random.bytes(tokenBytes));
  const { id } = made;
  const usual = { uses: 1, used: 0, created: now - hour, expires: now + hour, by: 'operator/ops' };
  const value = { id, role: 'agent', hash: hashSecret(made), pin: formatPin(pin), ...usual, ...fields } as const;
  await put(keys.token(id), records.token.codec.encode(value));
  return id;
}

async function revokedAt(id: TokenId): Promise<number | undefined> {
  const { kv } = await store.get(keys.token(id));
  return kv && unwrap(records.token.codec.decode(kv.value)).value.revoked;
}

async function certificate(role: 'agent' | 'manager' | 'operator', id: string, issued: number): Promise<void> {
  const fields = { name: id, serial: 'a1', expires: now + 24 * hour, generation: 1, hosts: [] };
  await put(keys.certificate(role, id), records.certificate.codec.encode({ role, id, issued, ...fields }));
}

const has = async (key: string): Promise<boolean> => (await store.get(key)).kv !== undefined;
const renew = (kept: readonly Removal[] = []) => renewRevocations({ store, keys, now }, kept);

test('no token of the backup can be used, however many there are', async () => {
  const ids: TokenId[] = [];
  for (let i = 0; i < 120; i++) ids.push(await token());
  const before = await token({ revoked: now - hour });
  const late = await token({ expires: now - 1 });
  expect(await renew()).toEqual({ tokens: 120, removals: [] });
  for (const id of ids) expect(await revokedAt(id)).toBe(now);
  expect([await revokedAt(before), await revokedAt(late)]).toEqual([now - hour, undefined]);
  expect(await renew()).toMatchObject({ tokens: 0 });
});

const agent = 'a1a1a1a1a1a1a1a1';
const removal = (fields: Partial<Removal> = {}): Removal => ({
  ...{ role: 'agent', id: agent, at: now - hour, until: now + 24 * hour, reason: 'host h1, by ops' },
  ...fields,
});

test('a removal from after the backup is made again, and its member loses the certificate that the backup brings back', async () => {
  await certificate('agent', agent, now - 2 * hour);
  await certificate('operator', 'ops', now - 2 * hour);
  expect((await renew([removal()])).removals).toEqual([removal()]);
  expect(await has(keys.certificate('agent', agent))).toBe(false);
  expect(await has(keys.certificate('operator', 'ops'))).toBe(true);
  const { kv } = await store.get(keys.removed('agent', agent));
  expect(kv && unwrap(records.removed.codec.decode(kv.value)).value).toEqual(removal());
  expect((await renew([removal()])).removals).toEqual([]);
});

test('a certificate from after the removal stays', async () => {
  await certificate('agent', agent, now - hour + 1);
  await renew([removal()]);
  expect(await has(keys.certificate('agent', agent))).toBe(true);
});

describe('a removal of a manager', () => {
  const manager = removal({ role: 'manager', id: 'm2', until: now, knownCa: 1 });

  test('is made again however old it is: the manager can make itself certificates', async () => {
    expect((await renew([manager])).removals).toEqual([manager]);
    const { kv } = await store.get(keys.removed('manager', 'm2'));
    expect(kv && unwrap(records.removed.codec.decode(kv.value)).value).toEqual(manager);
  });

  test('is left out if the manager has joined again by the backup', async () => {
    await certificate('manager', 'm2', now - hour + 1);
    expect((await renew([manager])).removals).toEqual([]);
    expect(await has(keys.removed('manager', 'm2'))).toBe(false);
  });
});

test.each<[string, Partial<Removal>]>([
  ['that has no effect any more', { until: now }],
  ['that is older than that of the backup', { at: now - 3 * hour }],
])('a removal is left out %s', async (_, fields) => {
  await put(keys.removed('agent', agent), records.removed.codec.encode(removal({ at: now - 2 * hour })));
  expect((await renew([removal(fields)])).removals).toEqual([]);
});
