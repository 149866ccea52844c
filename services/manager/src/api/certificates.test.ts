import {
  createRequest,
  formatTrustBundle,
  hasSealedAuthority,
  issuedAt,
  parseSealingKeyFile,
  parseToken,
  readCertificates,
  toBase64,
} from '@causeway/identity';
import { createKey } from '@causeway/identity/io';
import { CausewayError, type Name, type NodeId, unwrap } from '@causeway/model';
import { minutes, seconds } from '@causeway/runtime';
import { describe, expect, test, vi } from 'vitest';
import type { CallContext } from '../call/context.ts';
import type { Identity } from '../call/identity.ts';
import { Custody } from '../cluster/ca/custody.ts';
import { Issuer } from '../cluster/ca/issuer.ts';
import { Outdated } from '../plan/outdated.ts';
import type { NextCa } from '../plan/rotate-ca.ts';
import { records } from '../store/records/index.ts';
import {
  anotherCluster,
  cluster,
  create,
  events,
  from,
  join,
  keys,
  manager,
  peerOf,
  refusalOf,
  remove,
  request,
  stranger,
  tokens,
  uuid,
} from '../testing/certificates-fixture.ts';
import { MemoryCluster } from '../testing/memory-cluster.ts';
import { nodeId } from '../testing/view-script.ts';
import { whileOutdated } from './while-outdated.ts';

test('a joiner that has verified the pin gets the roots and the clock', async () => {
  const trust = await cluster.answer(manager.api.certificate.getTrust({}, stranger()));
  expect(trust).toMatchObject({ clusterId: cluster.founded?.founding.clusterId, caGeneration: 1 });
  expect(trust.roots.join('')).toBe(formatTrustBundle(cluster.founded?.founding.ca.roots ?? []));
  expect(Number(trust.timeMs)).toBe(cluster.clock.wall());
});

describe('the addresses of managers', () => {
  const told = async (call: CallContext): Promise<readonly string[]> =>
    (await cluster.answer(manager.api.certificate.getTrust({}, call))).managers;
  const agent = from({ kind: 'agent', node: nodeId(1) });

  test('are told to members: also of a manager that has stopped, and not of one that was removed', async () => {
    expect(await told(agent)).toEqual(['m1:7443']);
    const m2 = { name: 'm2', address: '10.0.0.2:7443', version: '1', etcdMember: '', schema: 1, goneAt: 5 };
    const [store, key] = [cluster.storeOf(manager), keys.knownManager('m2' as Name)];
    await store.txn([], [{ kind: 'put', key, value: records.knownManager.codec.encode(m2) }]);
    await cluster.settle();
    for (const peer of [agent, from({ kind: 'operator', name: 'mary' }), from({ kind: 'manager', name: 'm3' })])
      expect(await told(peer)).toEqual(['m1:7443', '10.0.0.2:7443']);
    await store.txn([], [{ kind: 'delete', key }]);
    await cluster.settle();
    expect(await told(agent)).toEqual(['m1:7443']);
  });

  test('are not told to who has no certificate yet', async () => {
    expect(await told(stranger())).toEqual([]);
  });
});

test('a cluster that was founded without a CA says so', async () => {
  const plain = new MemoryCluster();
  const { manager: other } = await plain.startManager();
  const creating = other.api.certificate.createToken(
    { requestId: uuid(), role: 'agent', uses: 1, ttlMs: 0n, name: '' },
    plain.call(),
  );
  await expect(plain.answer(creating)).rejects.toMatchObject({ code: 'capability-missing' });
  await plain.stop();
});

describe('tokens', () => {
  test('a token is listed without its secret, and a repeated call creates the same token', async () => {
    const requestId = uuid();
    const token = await create('agent', { requestId, uses: 3, ttlMs: BigInt(minutes(5)) });
    expect(await create('agent', { requestId, uses: 3, ttlMs: BigInt(minutes(5)) })).toEqual(token);
    const [listed, ...others] = await tokens();
    expect(others).toEqual([]);
    expect(listed).toMatchObject({ id: token.id, role: 'agent', uses: 3, used: 0, revokedMs: 0n });
    expect(Number((listed?.expiresMs ?? 0n) - (listed?.createdMs ?? 0n))).toBe(minutes(5));
  });

  test('without a wish a token is for one use within an hour', async () => {
    await create('manager');
    const [listed] = await tokens();
    expect(listed).toMatchObject({ role: 'manager', uses: 1 });
    expect(Number((listed?.expiresMs ?? 0n) - (listed?.createdMs ?? 0n))).toBe(minutes(60));
  });

  test.each<[string, object, string]>([
    ['another role', { role: 'robot' }, 'role'],
    ['too long a life', { ttlMs: BigInt(minutes(31 * 24 * 60)) }, 'ttl_ms'],
    ['too short a life', { ttlMs: 1n }, 'ttl_ms'],
    ['too many uses', { uses: 10_001 }, 'uses'],
  ])('is refused: %s', async (_, fields, field) => {
    const asked = { requestId: uuid(), role: 'agent', uses: 1, ttlMs: 0n, name: '', ...fields };
    const creating = cluster.answer(manager.api.certificate.createToken(asked, cluster.call()));
    await expect(creating).rejects.toMatchObject({ code: 'invalid-argument', data: { field } });
    expect(await tokens()).toEqual([]);
  });

  test('a token that does not exist cannot be revoked', async () => {
    const { id } = await create('agent');
    const revoke = (tokenId: string) =>
      cluster.answer(manager.api.certificate.revokeToken({ requestId: uuid(), tokenId }, cluster.call()));
    const revoked = await revoke(id);
    expect(revoked.token?.revokedMs).not.toBe(0n);
    expect(await revoke(id)).toEqual(revoked);
    await expect(revoke('abc')).rejects.toMatchObject({ data: { field: 'token_id' } });
    const other = unwrap(parseToken((await anotherCluster()).secret)).id;
    await expect(revoke(other)).rejects.toMatchObject({ code: 'token-unknown' });
  });
});

test('a manager joins: it gets the sealing key, and its addresses are in its certificate', async () => {
  const asked = request(await create('manager'), { name: 'm2', addresses: ['10.0.0.2', 'm2.example'] });
  const answer = await join(asked);
  expect(peerOf(answer)).toBe('manager/m2');
  const file = unwrap(parseSealingKeyFile(answer.sealingKeyFile));
  expect(file).toEqual({ cluster: answer.clusterId, state: 'open', key: cluster.founded?.sealingKey });
  const [certificate] = unwrap(readCertificates(answer.chain.join('')));
  expect(certificate?.x509.subjectAltName).toContain('IP Address:10.0.0.2');
  expect(certificate?.x509.subjectAltName).toContain('DNS:m2.example');
});

const refusal = () => manager.view.removals.peers.get('manager/m2');
const removeM2 = () =>
  cluster.answer(manager.api.cluster.removeManager({ requestId: uuid(), name: 'm2', force: false }, cluster.call()));

test('a manager that is removed is refused with the certificate that it has, also if it never started', async () => {
  const token = await create('manager', { uses: 3 });
  const chains = [(await join(request(token, { name: 'm2' }))).chain];
  for (let i = 0; i < 2; i++) {
    const again = { requestId: uuid(), certificateRequest: createRequest(createKey()) };
    chains.push(
      (await cluster.answer(manager.api.certificate.renew(again, from({ kind: 'manager', name: 'm2' })))).chain,
    );
  }
  const serials = chains.map((chain) => unwrap(readCertificates(chain.join('')))[0]?.serial);
  const removal = { requestId: uuid(), name: 'm2', force: false };
  await cluster.answer(manager.api.cluster.removeManager(removal, cluster.call()));
  expect(refusal()).toEqual({ at: cluster.clock.wall(), isUntilJoin: true });
  expect(manager.view.records('removed').revokedSerials).toEqual(serials);
  // The CA key is sealed with another sealing key, which the removed manager does not get.
  const { signer, sealingKeys = {} } = manager.view.ca?.value ?? { signer: { key: '' } };
  expect(hasSealedAuthority(cluster.founded?.sealingKey ?? new Uint8Array(), signer.key)).toBe(false);
  expect(Object.keys(sealingKeys)).toEqual(['m1']);
  const renewal = { requestId: uuid(), certificateRequest: createRequest(createKey()) };
  const renewing = manager.api.certificate.renew(renewal, from({ kind: 'manager', name: 'm2' }));
  await expect(cluster.answer(renewing)).rejects.toMatchObject({ code: 'node-removed' });
  const again = manager.api.cluster.removeManager({ ...removal, requestId: uuid() }, cluster.call());
  await expect(cluster.answer(again)).rejects.toMatchObject({ code: 'manager-unknown' });
  expect(await refusalOf(request(token, { name: 'm2' }))).toMatch(/^busy: .* can be issued in 1 s/);
  await cluster.clock.advance(seconds(1));
  const removed = refusal()?.at ?? Number.POSITIVE_INFINITY;
  const { chain } = await join(request(token, { name: 'm2' }));
  const [certificate] = unwrap(readCertificates(chain.join('')));
  const issued = certificate === undefined ? 0 : issuedAt(certificate);
  // A later time: by that, members that know of the removal see that it is over.
  expect(refusal()).toEqual({ at: issued - 1, isUntilJoin: false });
  expect(refusal()?.at).toBeGreaterThan(removed);
  await removeM2();
  expect(refusal()).toEqual({ at: cluster.clock.wall(), isUntilJoin: true });
});

test('a manager that renews while another is removed gets the sealing key for its new key', async () => {
  await join(request(await create('manager'), { name: 'm2' }));
  const { resealed } = Issuer.prototype;
  const renewal = { requestId: uuid(), certificateRequest: createRequest(createKey()) };
  const made = vi.spyOn(Issuer.prototype, 'resealed').mockImplementationOnce(async function (this: Issuer, ...of) {
    const stale = await resealed.call(this, ...of);
    await cluster.answer(manager.api.certificate.renew(renewal, from({ kind: 'manager', name: 'm1' })));
    return stale;
  });
  const added = vi.spyOn(Custody.prototype, 'add');
  await removeM2();
  const keysAdded = added.mock.calls.map(([key]) => toBase64(key));
  added.mockRestore();
  expect(keysAdded).toHaveLength(2);
  expect(new Set(keysAdded).size).toBe(1);
  const [, second] = await Promise.all(made.mock.results.map(({ value }) => value as Promise<NextCa>));
  made.mockRestore();
  expect(manager.view.ca?.value.sealingKeys).toEqual(second?.ca.sealingKeys);
  expect(refusal()).toMatchObject({ isUntilJoin: true });
});

test('a manager that is removed while the CA changes does not have the key of the seal', async () => {
  await join(request(await create('manager'), { name: 'm2' }));
  const { resealed } = Issuer.prototype;
  const life = { requestId: uuid(), lifeMs: BigInt(minutes(120)) };
  const made = vi.spyOn(Issuer.prototype, 'resealed').mockImplementationOnce(async function (this: Issuer, ...of) {
    const stale = await resealed.call(this, ...of);
    await cluster.answer(manager.api.certificate.setCertificateLife(life, cluster.call()));
    return stale;
  });
  await removeM2();
  made.mockRestore();
  const { signer, life: kept } = manager.view.ca?.value ?? { signer: { key: '' } };
  expect(kept).toBe(minutes(120));
  expect(hasSealedAuthority(cluster.founded?.sealingKey ?? new Uint8Array(), signer.key)).toBe(false);
  expect(refusal()).toMatchObject({ isUntilJoin: true });
});

test.each([
  ['prepared for another state is prepared again, a limited number of times', new Outdated('it was changed'), 10],
  ['refused by a manager that is overloaded is not repeated', new CausewayError('busy', 'too many calls'), 1],
])('a change that is %s', async (_, error, expected) => {
  const change = vi.fn(() => Promise.reject(error));
  await expect(whileOutdated(change)).rejects.toBe(error);
  expect(change).toHaveBeenCalledTimes(expected);
});

describe('a manager whose certificate has no record any more', () => {
  const put = async (value: Uint8Array): Promise<void> => {
    await cluster.storeOf(manager).txn([], [{ kind: 'put', key: keys.removed('manager', 'm2'), value }]);
    await cluster.settle();
  };

  test('is removed like others: it can make itself a certificate', async () => {
    const record = { name: 'm2', address: 'm2:7443', version: '1', etcdMember: '', schema: 1, goneAt: 5 };
    const value = records.knownManager.codec.encode(record);
    await cluster.storeOf(manager).txn([], [{ kind: 'put', key: keys.knownManager('m2' as Name), value }]);
    await cluster.settle();
    await removeM2();
    expect(refusal()).toEqual({ at: cluster.clock.wall(), isUntilJoin: true });
    await expect(removeM2()).rejects.toMatchObject({ code: 'manager-unknown' });
  });

  test('and was removed by a former version, is removed again by the command', async () => {
    const removal = { role: 'manager', id: 'm2', at: 5, until: cluster.clock.wall() + 1, reason: 'a test' } as const;
    await put(records.removed.codec.encode(removal));
    expect(refusal()).toEqual({ at: 5, isUntilJoin: false });
    await removeM2();
    expect(refusal()).toEqual({ at: cluster.clock.wall(), isUntilJoin: true });
  });
});

test('a manager that a leader of a former version has let join again is removed with its certificate', async () => {
  const token = await create('manager', { uses: 2 });
  await join(request(token, { name: 'm2' }));
  await removeM2();
  const key = keys.removed('manager', 'm2');
  const { kv: former } = await cluster.storeOf(manager).get(key);
  await cluster.clock.advance(seconds(2));
  const { chain } = await join(request(token, { name: 'm2' }));
  // That leader leaves the removal as it is.
  await cluster.storeOf(manager).txn([], [{ kind: 'put', key, value: former?.value ?? new Uint8Array() }]);
  await cluster.settle();
  await removeM2();
  expect(manager.view.records('certificate').get({ role: 'manager', id: 'm2' })).toBeUndefined();
  expect(manager.view.records('removed').revokedSerials).toContain(unwrap(readCertificates(chain.join('')))[0]?.serial);
  expect(refusal()).toEqual({ at: cluster.clock.wall(), isUntilJoin: true });
});

test('no second manager joins under the name of a manager that runs', async () => {
  expect(await refusalOf(request(await create('manager'), { name: 'm1' }))).toMatch(/^manager-exists/);
});

test('an operator joins, but not under the name of another', async () => {
  const token = await create('operator', { uses: 2 });
  expect(peerOf(await join(request(token, { name: 'mary' })))).toBe('operator/mary');
  expect(await refusalOf(request(token, { name: 'ops' }))).toMatch(/^name-taken: there is an operator "ops"/);
});

describe('renewal', () => {
  test('is limited for each member, and a manager has a limited number of valid certificates', async () => {
    const codes = async (count: number): Promise<readonly string[]> => {
      const all: string[] = [];
      for (let i = 0; i < count; i++)
        all.push(
          await renew({ kind: 'manager', name: 'm1' }).then(
            () => 'renewed',
            (error: CausewayError) => error.message,
          ),
        );
      return all;
    };
    expect(new Set((await codes(12)).slice(10))).toEqual(
      new Set(['too many calls came from manager/m1: try again in a few seconds']),
    );
    await renew({ kind: 'agent', node: nodeId(1) });
    for (let i = 0; i < 4; i++) {
      await cluster.clock.advance(minutes(10));
      await codes(10);
    }
    await cluster.clock.advance(minutes(10));
    expect((await codes(1))[0]).toMatch(/^the manager has 32 valid certificates, which is the limit/);
  });

  const renew = (peer: Identity, requestId = uuid(), key = createKey()) =>
    cluster.answer(manager.api.certificate.renew({ requestId, certificateRequest: createRequest(key) }, from(peer)));

  test('gives a certificate for the caller’s own name, with the same addresses', async () => {
    const before = manager.view.records('certificate').get({ role: 'manager', id: 'm1' })?.value;
    await cluster.clock.advance(minutes(60));
    const { chain } = await renew({ kind: 'manager', name: 'm1' });
    const [certificate] = unwrap(readCertificates(chain.join('')));
    expect(certificate?.uris.join()).toBe(`spiffe://${cluster.founded?.founding.clusterId}/manager/m1`);
    const after = manager.view.records('certificate').get({ role: 'manager', id: 'm1' })?.value;
    expect(after).toMatchObject({ serial: certificate?.serial, hosts: before?.hosts });
    expect(after?.expires).toBe((before?.expires ?? 0) + minutes(60));
  });

  test('under a leader whose clock is behind leaves no earlier certificate that a removal forgets', async () => {
    const { id } = await join(request(await create('agent')));
    const issued = () => manager.view.records('certificate').get({ role: 'agent', id })?.value.issued;
    const before = issued();
    expect(before).toBeGreaterThan(0);
    cluster.clock.stepWall(-minutes(4));
    await renew({ kind: 'agent', node: id as NodeId });
    expect(issued()).toBe(before);
  });

  test('is for a host that has joined again, also if a restore has lost the record of its certificate', async () => {
    const token = await create('agent', { uses: 2, name: 'h1' });
    const { id } = await join(request(token));
    await join(request(token));
    const key = keys.certificate('agent', id);
    await cluster.storeOf(manager).txn([], [{ kind: 'delete', key }]);
    await cluster.settle();
    expect(manager.view.records('removed').get({ role: 'agent', id })?.value).toMatchObject({ hasJoined: true });
    await renew({ kind: 'agent', node: id as NodeId });
    expect(manager.view.records('certificate').get({ role: 'agent', id })?.value).toMatchObject({ id });
  });

  test('is not for strangers', async () => {
    await expect(renew({ kind: 'joiner', address: '10.0.0.7' })).rejects.toMatchObject({ code: 'permission-denied' });
  });

  test('is not for a host that was removed', async () => {
    await remove(9, 'h9 was removed');
    const renewing = renew({ kind: 'agent', node: nodeId(9) as NodeId });
    await expect(renewing).rejects.toMatchObject({ code: 'node-removed', message: /h9 was removed/ });
  });
});

test('each change is an event, and no secret is in an event or a log', async () => {
  const token = await create('agent');
  await join(request(token));
  const all = (await events()).join('\n');
  expect(all).toMatch(/token.created: join token \S+ created: agent, one use, until 20/);
  expect(all).toMatch(/certificate.issued: agent h1 \(\w{16}\) joined with the token \S+: certificate until 20/);
  const secret = Buffer.from(token.secret);
  for (const form of [secret.toString('hex'), secret.toString('base64')]) {
    expect(all).not.toContain(form);
    expect(JSON.stringify(cluster.log)).not.toContain(form);
  }
});
