import {
  createRequest,
  formatPins,
  formatTrustBundle,
  hasSealedAuthority,
  parseTrustBundle,
  readCertificates,
  verifyPeer,
} from '@causeway/identity';
import { createKey } from '@causeway/identity/io';
import { type Name, unwrap } from '@causeway/model';
import type { RotateCaResponse } from '@causeway/proto/gen/causeway/v1/certificate_service.js';
import { minutes, randomUuid, seconds } from '@causeway/runtime';
import { SeededRandom } from '@causeway/runtime/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Identity } from '../call/identity.ts';
import { Issuer } from '../cluster/ca/issuer.ts';
import type { Manager } from '../manager.ts';
import type { NextCa } from '../plan/rotate-ca.ts';
import { createKeys } from '../store/keys.ts';
import { records } from '../store/records/index.ts';
import { callContext } from '../testing/call-context.ts';
import { MemoryCluster } from '../testing/memory-cluster.ts';

let cluster: MemoryCluster;
let leader: Manager;
let follower: Manager;
const random = new SeededRandom(9);
const uuid = (): string => randomUuid(random);
const leaving: AbortController[] = [];

const m1: Identity = { kind: 'manager', name: 'm1' };
const ops: Identity = { kind: 'operator', name: 'ops' };

beforeEach(async () => {
  cluster = new MemoryCluster({ hasCa: true });
  leader = (await cluster.startManager('m1')).manager;
  follower = (await cluster.startManager('m2')).manager;
});

afterEach(async () => {
  for (const leave of leaving.splice(0)) leave.abort();
  await cluster.stop();
});

/** The progress of a rotation, as it comes. */
function rotate(
  by: Manager,
  { peer, ...fields }: { requestId?: string; force?: boolean; peer?: Identity } = {},
): RotateCaResponse[] {
  const leave = new AbortController();
  leaving.push(leave);
  const progress: RotateCaResponse[] = [];
  const read = async (): Promise<void> => {
    const request = { requestId: uuid(), force: false, ...fields };
    const call = callContext({ signal: leave.signal, ...(peer && { peer }) });
    for await (const each of by.api.certificate.rotateCa(request, call)) progress.push(each);
  };
  read().catch((error: unknown) => progress.push({ error } as never));
  return progress;
}

async function renew(peer: Identity, by = leader): Promise<{ chain: string; roots: string }> {
  const request = { requestId: uuid(), certificateRequest: createRequest(createKey()) };
  const { chain, roots } = await cluster.answer(
    by.api.certificate.renew(request, callContext({ peer, remaining: seconds(5) })),
  );
  return { chain: chain.join(''), roots: roots.join('') };
}

/** Whether a peer that trusts these roots accepts the chain. */
function accepts(roots: string, chain: string): boolean {
  const trust = unwrap(parseTrustBundle(roots));
  const expected = { cluster: leader.view.cluster?.id as never, roles: ['manager', 'operator'] as const, trust };
  return verifyPeer(unwrap(readCertificates(chain)), { ...expected, now: cluster.clock.wall() }).ok;
}

/** Registers a manager, as one that runs. */
async function runs(name: string): Promise<void> {
  const record = { name, address: `${name}:7443`, version: '1', etcdMember: '', schema: 1 };
  const value = records.manager.codec.encode(record);
  await cluster.storeOf(leader).txn([], [{ kind: 'put', key: createKeys().manager(name as Name), value }]);
}

const settle = () => cluster.clock.advance(seconds(2));
/** Until a rotation for which all have renewed is over. */
const ended = () => cluster.clock.advance(seconds(50));
const rootsNow = (of = leader): string => formatTrustBundle(of.view.ca?.value.roots ?? []);

test('the CA changes when every member has renewed: those that have not heard of it are accepted in between', async () => {
  const before = rootsNow();
  const old = await renew(ops);
  const progress = rotate(leader);
  await settle();
  expect(progress.at(-1)).toEqual({
    generation: 2,
    renewed: 0,
    total: 2,
    waiting: ['manager m1', 'operator ops'],
    done: false,
  });
  const manager = await renew(m1);
  expect(accepts(before, manager.chain)).toBe(true);
  expect(accepts(manager.roots, manager.chain)).toBe(true);
  expect(accepts(manager.roots, old.chain)).toBe(true);
  await settle();
  expect(progress.at(-1)).toMatchObject({ renewed: 1, waiting: ['operator ops'], done: false });
  await renew(ops);
  await settle();
  // Its holder may not have got it: the answer may be lost.
  expect(progress.at(-1)).toEqual({ generation: 2, renewed: 2, total: 2, waiting: [], done: false });
  expect(accepts(rootsNow(), old.chain)).toBe(true);
  await ended();
  expect(progress.at(-1)).toEqual({ generation: 2, renewed: 2, total: 2, waiting: [], done: true });
  expect(unwrap(parseTrustBundle(rootsNow()))).toHaveLength(1);
  expect(accepts(rootsNow(), manager.chain)).toBe(true);
  expect(accepts(rootsNow(), old.chain)).toBe(false);
  expect(rootsNow(follower)).toBe(rootsNow());
  // As an etcd that has not been restarted sees a certificate from after the rotation.
  expect(accepts(before, (await renew(m1)).chain)).toBe(true);
});

test('the rotation is done when the etcds of all managers have read the roots', async () => {
  const register = async (etcdTrust: string): Promise<void> => {
    const record = { name: 'm1', address: 'm1:7443', version: '1', etcdMember: 'm1', schema: 1, etcdTrust };
    const value = records.manager.codec.encode(record);
    await cluster.storeOf(leader).txn([], [{ kind: 'put', key: createKeys().manager('m1' as Name), value }]);
    await settle();
  };
  await register(formatPins(leader.view.ca?.value.roots ?? []));
  const progress = rotate(leader);
  await settle();
  await renew(m1);
  await renew(ops);
  await ended();
  expect(progress.at(-1)).toMatchObject({ renewed: 2, waiting: ['etcd of m1'], done: false });
  await register(formatPins(leader.view.ca?.value.roots ?? []));
  expect(progress.at(-1)).toMatchObject({ waiting: [], done: true });
});

test('a new life of certificates is that of those that are issued from then on', async () => {
  const lifeOf = async (): Promise<number> => {
    const [certificate] = unwrap(readCertificates((await renew(ops)).chain));
    // Certificates are dated by whole seconds.
    return Math.ceil(((certificate?.notAfter ?? 0) - cluster.clock.wall()) / 1_000) * 1_000;
  };
  const set = (lifeMs: number) =>
    cluster.answer(
      leader.api.certificate.setCertificateLife({ requestId: uuid(), lifeMs: BigInt(lifeMs) }, cluster.call()),
    );
  const [hour, day] = [3_600_000, 24 * 3_600_000];
  await set(7 * day);
  expect(await lifeOf()).toBe(7 * day);
  expect((await leader.api.certificate.showCa({}, cluster.call())).lifeMs).toBe(BigInt(7 * day));
  await expect(set(hour - 1)).rejects.toMatchObject({ code: 'invalid-argument', data: { field: 'life_ms' } });
  await expect(set(90 * day + 1)).rejects.toMatchObject({ code: 'invalid-argument' });
  expect(await lifeOf()).toBe(7 * day);
});

test('a token from before is void afterwards, and one from now works', async () => {
  const create = () =>
    cluster.answer(
      leader.api.certificate.createToken(
        { requestId: uuid(), role: 'agent', uses: 1, ttlMs: 0n, name: '' },
        cluster.call(),
      ),
    );
  await create();
  rotate(leader);
  await settle();
  await create();
  await renew(m1);
  await renew(ops);
  await ended();
  expect((await leader.api.certificate.listTokens({}, cluster.call())).tokens).toEqual([]);
  expect((await create()).secret).toMatch(/^CWAY1-/);
});

test('said again while it runs, by the same call or another, it is the same rotation', async () => {
  const requestId = uuid();
  const all = [rotate(leader, { requestId }), rotate(leader, { requestId }), rotate(leader)];
  await settle();
  for (const progress of all) expect(progress.at(-1)).toMatchObject({ generation: 2, done: false });
  await renew(m1);
  await renew(ops);
  await ended();
  const again = rotate(leader, { requestId });
  await settle();
  for (const progress of [...all, again]) expect(progress.at(-1)).toMatchObject({ generation: 2, done: true });
  expect(leader.view.ca?.value.generation).toBe(2);
});

test('with force it ends although members have not renewed', async () => {
  const progress = rotate(leader, { force: true });
  await settle();
  await renew(m1);
  await ended();
  expect(progress.at(-1)).toEqual({ generation: 2, renewed: 2, total: 2, waiting: [], done: true });
});

test('with force it still waits for the managers, and for the operator who asks', async () => {
  const progress = rotate(leader, { force: true, peer: ops });
  await settle();
  expect(progress.at(-1)).toMatchObject({ waiting: ['manager m1', 'operator ops'], done: false });
  await renew(m1);
  await settle();
  expect(progress.at(-1)).toMatchObject({ waiting: ['operator ops'], done: false });
  await renew(ops);
  await ended();
  expect(progress.at(-1)).toMatchObject({ waiting: [], done: true });
});

test('the key of the next CA is sealed with a new sealing key, which only the managers can open', async () => {
  const before = leader.view.ca?.value;
  rotate(leader);
  await settle();
  const after = leader.view.ca?.value;
  const [former] = [cluster.founded?.sealingKey].flatMap((key) => key ?? []);
  if (before === undefined || after === undefined || former === undefined) throw new Error('the cluster has no CA');
  expect(hasSealedAuthority(former, before.signer.key)).toBe(true);
  expect(hasSealedAuthority(former, after.signer.key)).toBe(false);
  expect(Object.keys(after.sealingKeys ?? {})).toEqual(['m1']);
  await renew(m1);
  await renew(ops);
  await settle();
  expect(accepts(rootsNow(), (await renew(m1)).chain)).toBe(true);
});

test('a manager that renews while the next CA is made gets the sealing key for its new key', async () => {
  const { next } = Issuer.prototype;
  const made = vi.spyOn(Issuer.prototype, 'next').mockImplementationOnce(async function (this: Issuer, ...of) {
    const stale = await next.call(this, ...of);
    await renew(m1);
    return stale;
  });
  rotate(leader);
  await settle();
  const [, second] = await Promise.all(made.mock.results.map(({ value }) => value as Promise<NextCa>));
  const own = leader.view.records('certificate').get({ role: 'manager', id: 'm1' });
  expect([...(second?.holders ?? [])]).toEqual([['m1', own?.revision]]);
  expect(leader.view.ca?.value.generation).toBe(2);
  made.mockRestore();
});

test('a renewal is put off while it would be as old as certificates of the member that are refused', async () => {
  await renew(ops);
  const at = cluster.clock.wall() + 200_000; // as after a failover to a manager whose clock is behind
  const removal = { role: 'operator', id: 'ops', at, reason: 'joined again', until: at + 3_600_000 } as const;
  const value = records.removed.codec.encode(removal);
  await cluster.storeOf(leader).txn([], [{ kind: 'put', key: createKeys().removed('operator', 'ops'), value }]);
  await settle();
  await expect(renew(ops)).rejects.toMatchObject({
    code: 'busy',
    message: expect.stringMatching(/can be issued in \d+ s/),
  });
  await cluster.clock.advance(seconds(210));
  expect((await renew(ops)).chain).toContain('BEGIN CERTIFICATE');
});

test('members with expired certificates are not waited for', async () => {
  cluster.clock.stepWall(29 * 24 * 3_600_000);
  await renew(m1);
  const progress = rotate(leader);
  await settle();
  await renew(m1);
  await settle();
  expect(progress.at(-1)).toMatchObject({ waiting: ['operator ops'], done: false });
  cluster.clock.stepWall(2 * 24 * 3_600_000);
  await cluster.clock.advance(minutes(2));
  expect(progress.at(-1)).toMatchObject({ done: true });
});

test('a clock that is ahead by more than the life of certificates ends no rotation, with force neither', async () => {
  await runs('m1');
  await renew(m1);
  await renew(ops);
  const progress = rotate(leader);
  const forced = rotate(leader, { force: true, peer: ops });
  cluster.clock.stepWall(31 * 24 * 3_600_000);
  await cluster.clock.advance(minutes(2));
  cluster.clock.stepWall(-31 * 24 * 3_600_000);
  for (const each of [progress, forced])
    expect(each.at(-1)).toMatchObject({ waiting: ['manager m1', 'operator ops'], done: false });
  await renew(m1);
  await renew(ops);
  await ended();
  for (const each of [progress, forced]) expect(each.at(-1)).toMatchObject({ done: true });
});

describe('the leader dies', () => {
  test.each<[string, (progress: () => Promise<void>) => Promise<void>]>([
    ['when the rotation has begun', async (die) => die()],
    [
      'when some have renewed',
      async (die) => {
        await renew(m1);
        await die();
      },
    ],
    [
      'before the last write',
      async (die) => {
        await renew(m1);
        const renewing = renew(ops);
        await renewing;
        await die();
      },
    ],
  ])('%s: the next leader continues', async (_, live) => {
    rotate(leader);
    await settle();
    await live(async () => {
      cluster.cutOff(leader);
      await cluster.clock.advance(seconds(20));
    });
    expect(follower.isLeader).toBe(true);
    for (const peer of [m1, ops]) await renew(peer, follower);
    await ended();
    expect(follower.view.ca?.value).toMatchObject({ generation: 2 });
    expect(follower.view.ca?.value.roots).toHaveLength(1);
    expect(follower.view.ca?.value.crossSigned).toBeDefined();
  });
});

test('what a rotation does is in the events, and the certificates can be looked at', async () => {
  rotate(leader, { force: true });
  await settle();
  await renew(m1);
  await ended();
  const shown = await leader.api.certificate.showCa({}, cluster.call());
  expect(shown).toMatchObject({ generation: 2, roots: [{ fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) }] });
  expect(shown.certificates.map(({ role, name, generation }) => `${role} ${name} ${generation}`)).toEqual([
    'manager m1 2',
    'operator ops 1',
  ]);
});
