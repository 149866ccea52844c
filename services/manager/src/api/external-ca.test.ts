import {
  createRequest,
  formatTrustBundle,
  hasSealedAuthority,
  type JoinToken,
  parseToken,
  parseTrustBundle,
  type Role,
  readCertificates,
  verifyPeer,
} from '@causeway/identity';
import { createKey } from '@causeway/identity/io';
import { unwrap } from '@causeway/model';
import {
  JoinRequest,
  type JoinResponse,
  type RotateCaResponse,
} from '@causeway/proto/gen/causeway/v1/certificate_service.js';
import { minutes, randomUuid, seconds } from '@causeway/runtime';
import { SeededRandom } from '@causeway/runtime/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Identity } from '../call/identity.ts';
import type { Manager } from '../manager.ts';
import { callContext } from '../testing/call-context.ts';
import type { MemoryCa } from '../testing/memory-ca.ts';
import { MemoryCluster } from '../testing/memory-cluster.ts';

let cluster: MemoryCluster;
let leader: Manager;
let ca: MemoryCa;
const random = new SeededRandom(9);
const uuid = (): string => randomUuid(random);
const leaving: AbortController[] = [];

const m1: Identity = { kind: 'manager', name: 'm1' };
const ops: Identity = { kind: 'operator', name: 'ops' };

beforeEach(async () => {
  cluster = new MemoryCluster({ hasExternalCa: true });
  if (cluster.founded?.externalCa === undefined) throw new Error('the cluster has no external CA');
  ca = cluster.founded.externalCa;
  leader = (await cluster.startManager('m1')).manager;
});

afterEach(async () => {
  for (const leave of leaving.splice(0)) leave.abort();
  await cluster.stop();
});

const settle = () => cluster.clock.advance(seconds(2));
/** Until a rotation for which all have renewed is over. */
const ended = () => cluster.clock.advance(seconds(50));
const rootsNow = (): string => formatTrustBundle(leader.view.ca?.value.roots ?? []);

async function create(role: Role, uses = 1): Promise<JoinToken> {
  const request = { requestId: uuid(), role, uses, ttlMs: 0n, name: '' };
  const { secret } = await cluster.answer(leader.api.certificate.createToken(request, cluster.call()));
  return unwrap(parseToken(secret));
}

function join(token: JoinToken, fields: Partial<JoinRequest> = {}): Promise<JoinResponse> {
  const request = JoinRequest.create({
    ...{ requestId: uuid(), tokenId: token.id, tokenSecret: token.secret, name: 'h1' },
    ...{ certificateRequest: createRequest(createKey()), timeMs: BigInt(cluster.clock.wall()) },
    ...fields,
  });
  const peer: Identity = { kind: 'joiner', address: '10.0.0.7' };
  return cluster.answer(leader.api.certificate.join(request, callContext({ peer, remaining: seconds(5) })));
}

async function renew(peer: Identity): Promise<string> {
  const request = { requestId: uuid(), certificateRequest: createRequest(createKey()) };
  const call = callContext({ peer, remaining: seconds(5) });
  return (await cluster.answer(leader.api.certificate.renew(request, call))).chain.join('');
}

/** Whether a peer that trusts these roots accepts the chain. */
function accepts(roots: string, chain: string): boolean {
  const trust = unwrap(parseTrustBundle(roots));
  const roles = ['agent', 'manager', 'operator'] as const;
  const expected = { cluster: leader.view.cluster?.id as never, roles, trust };
  return verifyPeer(unwrap(readCertificates(chain)), { ...expected, now: cluster.clock.wall() }).ok;
}

/** The progress of a rotation, as it comes; an error at its end. */
function rotate(requestId = uuid()): (RotateCaResponse | { error: unknown })[] {
  const leave = new AbortController();
  leaving.push(leave);
  const progress: (RotateCaResponse | { error: unknown })[] = [];
  const read = async (): Promise<void> => {
    const call = callContext({ signal: leave.signal });
    for await (const each of leader.api.certificate.rotateCa({ requestId, force: false }, call)) progress.push(each);
  };
  read().catch((error: unknown) => progress.push({ error }));
  return progress;
}

describe('the program issues', () => {
  test('the certificate of a host that joins', async () => {
    const { chain, id } = await join(await create('agent'));
    expect(accepts(rootsNow(), chain.join(''))).toBe(true);
    expect(ca.orders.map(({ uri }) => uri)).toEqual([`spiffe://${leader.view.cluster?.id}/agent/${id}`]);
  });

  test('that of a manager, with the addresses of its etcd', async () => {
    await join(await create('manager'), { name: 'm2', addresses: ['10.0.0.2', 'm2.example'] });
    expect(ca.orders).toMatchObject([
      { ipAddresses: ['10.0.0.2'], dnsNames: [`manager.${leader.view.cluster?.id}`, 'm2.example'] },
    ]);
  });

  test('renewals, with the life that the cluster has now', async () => {
    const life = { requestId: uuid(), lifeMs: BigInt(minutes(120)) };
    await cluster.answer(leader.api.certificate.setCertificateLife(life, cluster.call()));
    expect(accepts(rootsNow(), await renew(m1))).toBe(true);
    const [order] = ca.orders;
    expect((order?.notAfter ?? 0) - cluster.clock.wall()).toBeGreaterThan(minutes(119));
    expect((order?.notAfter ?? 0) - cluster.clock.wall()).toBeLessThanOrEqual(minutes(120));
  });
});

test('the program is not run for a caller whose token is refused', async () => {
  const token = await create('agent');
  await expect(join({ ...token, secret: new Uint8Array(16) })).rejects.toMatchObject({ code: 'token-refused' });
  await join(token);
  await expect(join(token, { name: 'h2' })).rejects.toMatchObject({ code: 'token-used' });
  expect(ca.orders).toHaveLength(1);
});

describe('a failure', () => {
  test('of the program: the error names the program and what was wrong; the token is not used, and the joiner may try again', async () => {
    const token = await create('agent');
    ca.fail('it ended with status 3');
    const refused = { code: 'external-ca-failed', message: expect.stringContaining('it ended with status 3') };
    await expect(join(token)).rejects.toMatchObject(refused);
    ca.change((pem) => pem);
    expect((await join(token)).role).toBe('agent');
  });

  test('no certificate that is not what was ordered gets to a member', async () => {
    const other = await renew(ops);
    ca.change(() => other);
    const why =
      'what the CA of the test has printed is not used: the certificate is not what was ordered: it is of another';
    const refused = { code: 'external-ca-failed', message: expect.stringContaining(why) };
    await expect(renew(m1)).rejects.toMatchObject(refused);
    const record = leader.view.records('certificate').get({ role: 'manager', id: 'm1' })?.value;
    expect(record?.serial).toBe(cluster.founded?.manager.chain[0].serial);
  });

  test('of a leader that has no program: the error names the setting', async () => {
    const { manager: next } = cluster.addManager('m2', { hasProgram: false });
    await cluster.answer(next.start());
    cluster.cutOff(leader);
    await cluster.clock.advance(seconds(20));
    expect(next.isLeader).toBe(true);
    leader = next;
    const setting = expect.stringContaining('--ca-program (CAUSEWAY_CA_PROGRAM)');
    await expect(renew(ops)).rejects.toMatchObject({ code: 'capability-missing', message: setting });
    // What needs no certificate goes on.
    expect((await create('manager')).id).not.toBe('');
  });
});

describe('operators see how certificates are issued', () => {
  const issuers = async () => {
    const { managers } = await cluster.answer(leader.api.cluster.listManagers({}, cluster.call()));
    return managers.map(({ name, externalCa }) => [
      name,
      externalCa?.name,
      externalCa?.calledMs !== 0n,
      externalCa?.failure,
    ]);
  };
  const program = 'the CA of the test';

  test('by which manager, and how the last call ended', async () => {
    expect(await issuers()).toEqual([['m1', program, false, '']]);
    await renew(ops);
    expect(await issuers()).toEqual([['m1', program, true, '']]);
    ca.fail('it ended with status 3');
    await expect(renew(ops)).rejects.toMatchObject({ code: 'external-ca-failed' });
    expect(await issuers()).toEqual([['m1', program, true, expect.stringContaining('it ended with status 3')]]);
    ca.change(() => 'nonsense');
    await expect(renew(m1)).rejects.toMatchObject({ code: 'external-ca-failed' });
    expect(await issuers()).toEqual([['m1', program, true, expect.stringContaining('has printed is not used')]]);
    expect(cluster.log.lines.map(({ event }) => event)).toContain('ca.answer-refused');
    ca.change((pem) => pem);
    await renew(m1);
    expect(await issuers()).toEqual([['m1', program, true, '']]);
  });

  test('a caller who leaves says nothing about the program', async () => {
    const call = callContext({ peer: ops, signal: AbortSignal.abort() });
    const request = { requestId: uuid(), certificateRequest: createRequest(createKey()) };
    await expect(cluster.answer(leader.api.certificate.renew(request, call))).rejects.toThrow();
    expect(await issuers()).toEqual([['m1', program, false, '']]);
  });

  test('that a manager has no program', async () => {
    const { manager: next } = cluster.addManager('m2', { hasProgram: false });
    await cluster.answer(next.start());
    const { manager } = await next.api.cluster.describeManager({});
    expect(manager?.externalCa).toEqual({ name: '', calledMs: 0n, failure: '' });
  });
});

test('a manager that is removed does not get the next sealing key; no program is needed for that', async () => {
  await join(await create('manager'), { name: 'm2', addresses: ['10.0.0.2'] });
  ca.fail('not now');
  const removal = { requestId: uuid(), name: 'm2', force: false };
  await cluster.answer(leader.api.cluster.removeManager(removal, cluster.call()));
  const { signer, sealingKeys = {} } = leader.view.ca?.value ?? { signer: { kind: '', key: '' } };
  expect(signer.kind).toBe('external');
  expect(hasSealedAuthority(cluster.founded?.sealingKey ?? new Uint8Array(), signer.key)).toBe(false);
  expect(Object.keys(sealingKeys)).toEqual(['m1']);
  expect((await create('agent')).id).not.toBe('');
});

describe('the CA is replaced', () => {
  test('by the next root that the program has: members that have not heard of it are accepted in between', async () => {
    const before = rootsNow();
    const progress = rotate();
    await settle();
    expect(progress.at(-1)).toMatchObject({ generation: 2, waiting: ['manager m1', 'operator ops'], done: false });
    const chain = await renew(m1);
    expect(accepts(before, chain)).toBe(true);
    await renew(ops);
    await ended();
    expect(progress.at(-1)).toMatchObject({ generation: 2, renewed: 2, total: 2, done: true });
    expect(leader.view.ca?.value).toMatchObject({ signer: { kind: 'external' } });
    expect(unwrap(parseTrustBundle(rootsNow()))).toHaveLength(1);
    expect(accepts(rootsNow(), chain)).toBe(true);
    expect(accepts(rootsNow(), await renew(ops))).toBe(true);
  });

  test('not, if the program has no next root; the error names the program, and nothing has changed', async () => {
    ca.fail('there is no next.pem');
    const before = rootsNow();
    const progress = rotate();
    await settle();
    expect(progress).toMatchObject([
      { error: { code: 'external-ca-failed', message: expect.stringContaining('there is no next.pem') } },
    ]);
    expect(rootsNow()).toBe(before);
  });

  test('once: the same call after the end says that it is done, although the program has no further root', async () => {
    const requestId = uuid();
    rotate(requestId);
    await settle();
    await renew(m1);
    await renew(ops);
    await ended();
    ca.fail('there is no next.pem');
    const again = rotate(requestId);
    await settle();
    expect(again).toMatchObject([{ generation: 2, done: true }]);
  });
});
