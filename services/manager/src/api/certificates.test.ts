import {
  createRequest,
  formatTrustBundle,
  hasSealedAuthority,
  issuedAt,
  type JoinToken,
  parseSealingKeyFile,
  parseToken,
  parseTrustBundle,
  type Role,
  readCertificates,
  verifyPeer,
} from '@causeway/identity';
import { createKey } from '@causeway/identity/io';
import { type CausewayError, type NodeId, unwrap } from '@causeway/model';
import { JoinRequest, type JoinResponse, type Token } from '@causeway/proto/gen/causeway/v1/certificate_service.js';
import { WatchEventsRequest } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import { minutes, randomUuid, seconds } from '@causeway/runtime';
import { SeededRandom } from '@causeway/runtime/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CallContext } from '../call/context.ts';
import type { Identity } from '../call/identity.ts';
import type { Manager } from '../manager.ts';
import { createKeys } from '../store/keys.ts';
import { records } from '../store/records/index.ts';
import { callContext } from '../testing/call-context.ts';
import { MemoryAgent } from '../testing/memory-agent.ts';
import { MemoryCluster } from '../testing/memory-cluster.ts';
import { nodeId, scriptNode } from '../testing/view-script.ts';

let cluster: MemoryCluster;
let manager: Manager;
const random = new SeededRandom(3);
const keys = createKeys();
const uuid = (): string => randomUuid(random);

beforeEach(async () => {
  cluster = new MemoryCluster({ hasCa: true });
  manager = (await cluster.startManager()).manager;
});

afterEach(() => cluster.stop());

function from(peer: Identity): CallContext {
  return callContext({ peer, remaining: seconds(5) });
}

const stranger = (address = '10.0.0.7'): CallContext => from({ kind: 'joiner', address });

async function create(
  role: Role,
  fields: { uses?: number; ttlMs?: bigint; requestId?: string; name?: string } = {},
): Promise<JoinToken> {
  const request = { requestId: uuid(), role, uses: 0, ttlMs: 0n, name: '', ...fields };
  const { secret } = await cluster.answer(manager.api.certificate.createToken(request, cluster.call()));
  return unwrap(parseToken(secret));
}

const tokens = async (): Promise<readonly Token[]> =>
  (await manager.api.certificate.listTokens({}, cluster.call())).tokens;

function request(token: JoinToken, fields: Partial<JoinRequest> = {}): JoinRequest {
  return JoinRequest.create({
    requestId: uuid(),
    tokenId: token.id,
    tokenSecret: token.secret,
    certificateRequest: createRequest(createKey()),
    name: 'h1',
    timeMs: BigInt(cluster.clock.wall()),
    ...fields,
  });
}

const join = (asked: JoinRequest, call = stranger()): Promise<JoinResponse> =>
  cluster.answer(manager.api.certificate.join(asked, call));

async function refusalOf(asked: JoinRequest, call = stranger()): Promise<string> {
  const error = await join(asked, call).then(
    () => undefined,
    (thrown: CausewayError) => thrown,
  );
  return error === undefined ? 'admitted' : `${error.code}: ${error.message}`;
}

/** As a peer of the cluster verifies it. */
function peerOf({ chain, roots, clusterId }: JoinResponse): string {
  const trust = unwrap(parseTrustBundle(roots.join('')));
  const sent = unwrap(readCertificates(chain.join('')));
  const expected = { cluster: clusterId as never, roles: ['agent', 'manager', 'operator'] as const, trust };
  const { name } = unwrap(verifyPeer(sent, { ...expected, now: cluster.clock.wall() }));
  return `${name.role}/${name.id}`;
}

async function connect(node: number): Promise<void> {
  const agent = new MemoryAgent(scriptNode(node));
  agent.hello();
  void manager.accept(agent);
  await cluster.settle();
}

async function events(): Promise<readonly string[]> {
  await cluster.clock.advance(seconds(1));
  const all: string[] = [];
  const read = async (): Promise<void> => {
    for await (const { event } of manager.api.cluster.watchEvents(WatchEventsRequest.create({}), cluster.call()))
      if (event !== undefined && /^(token|certificate)/.test(event.kind)) all.push(`${event.kind}: ${event.message}`);
  };
  await cluster.answer(read());
  return all;
}

test('a joiner that has verified the pin gets the roots and the clock', async () => {
  const trust = await cluster.answer(manager.api.certificate.getTrust({}, stranger()));
  expect(trust).toMatchObject({ clusterId: cluster.founded?.founding.clusterId, caGeneration: 1 });
  expect(trust.roots.join('')).toBe(formatTrustBundle(cluster.founded?.founding.ca.roots ?? []));
  expect(Number(trust.timeMs)).toBe(cluster.clock.wall());
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

async function anotherCluster(): Promise<{ readonly secret: string }> {
  const other = new MemoryCluster({ hasCa: true });
  const { manager: its } = await other.startManager();
  const asked = { requestId: uuid(), role: 'agent', uses: 1, ttlMs: 0n, name: '' };
  const created = await other.answer(its.api.certificate.createToken(asked, other.call()));
  await other.stop();
  return created;
}

describe('an agent joins', () => {
  test('and gets an id, a certificate that peers accept, and the addresses of the managers', async () => {
    const answer = await join(request(await create('agent')));
    expect(answer).toMatchObject({ role: 'agent', managers: ['m1:7443'], sealingKeyFile: '' });
    expect(peerOf(answer)).toBe(`agent/${answer.id}`);
    expect(manager.view.records('certificate').get({ role: 'agent', id: answer.id })?.value).toMatchObject({
      name: 'h1',
      generation: 1,
    });
  });

  test('with the id that it proposes', async () => {
    const answer = await join(request(await create('agent'), { nodeId: nodeId(5) }));
    expect(answer.id).toBe(nodeId(5));
  });

  test('and a repeated call gets the same answer and uses the token once', async () => {
    const asked = request(await create('agent'));
    const first = await join(asked);
    expect(await join(asked)).toEqual(first);
    expect(await Promise.all([join(asked), join(asked)])).toEqual([first, first]);
    expect((await tokens())[0]?.used).toBe(1);
  });

  test('many at once, each with a use of the token', async () => {
    const token = await create('agent', { uses: 5 });
    const asked = Array.from({ length: 8 }, (_, i) => request(token, { name: `h${i}` }));
    const all = await Promise.all(asked.map((one) => refusalOf(one)));
    expect(all.filter((outcome) => outcome === 'admitted')).toHaveLength(5);
    expect(new Set(all.filter((outcome) => outcome !== 'admitted'))).toEqual(
      new Set(['token-used: the join token was used 5 times, as often as it may be; create a new token']),
    );
    expect((await tokens())[0]?.used).toBe(5);
  });

  test('again under its name with its data lost: it keeps its id, and its former certificate is refused', async () => {
    const token = await create('agent', { uses: 2, name: 'h1' });
    const first = await join(request(token));
    await cluster.clock.advance(seconds(5));
    const second = await join(request(token));
    expect(second.id).toBe(first.id);
    const at = manager.view.records('removed').get({ role: 'agent', id: first.id })?.value.at ?? 0;
    const record = manager.view.records('certificate').get({ role: 'agent', id: first.id })?.value;
    expect(at).toBeLessThan(record?.issued ?? 0);
    expect(at).toBeGreaterThan(cluster.clock.wall() - 5_000);
  });
});

describe('a joiner is refused, each time with the reason', () => {
  test('a token that was used, revoked, expired, is of another cluster, or has another secret', async () => {
    const used = await create('agent');
    await join(request(used));
    expect(await refusalOf(request(used, { name: 'h2' }))).toBe(
      'token-used: the join token was used once, as often as it may be; create a new token',
    );
    const revoked = await create('agent');
    await cluster.answer(
      manager.api.certificate.revokeToken({ requestId: uuid(), tokenId: revoked.id }, cluster.call()),
    );
    expect(await refusalOf(request(revoked))).toMatch(/^token-revoked: the join token was revoked on 20/);
    const late = await create('agent', { ttlMs: BigInt(minutes(1)) });
    await cluster.clock.advance(minutes(2));
    expect(await refusalOf(request(late))).toMatch(/^token-expired: the join token expired on 20/);
    const unknown = unwrap(parseToken((await anotherCluster()).secret));
    const refused = 'token-refused: the join token does not exist in this cluster; create a new token';
    expect(await refusalOf(request(unknown))).toBe(refused);
    const guessed = request(await create('agent'), { tokenSecret: new Uint8Array(16) });
    expect(await refusalOf(guessed)).toBe(refused);
  });

  test.each<[string, number, string]>([
    ['an hour ahead', 60, '1 hour|60 minutes'],
    ['an hour behind', -60, '1 hour|60 minutes'],
  ])('a clock that is %s', async (_, by, span) => {
    const timeMs = BigInt(cluster.clock.wall() + minutes(by));
    const refused = await refusalOf(request(await create('agent'), { timeMs }));
    expect(refused).toMatch(
      new RegExp(`^clock-wrong: the clock of this host is (${span}) ${by > 0 ? 'ahead of' : 'behind'}`),
    );
    expect((await tokens())[0]?.used).toBe(0);
  });

  test('what is not a certificate request', async () => {
    const token = await create('agent');
    expect(await refusalOf(request(token, { certificateRequest: new Uint8Array(9) }))).toMatch(
      /^certificate-request-invalid/,
    );
    expect((await tokens())[0]?.used).toBe(0);
  });

  test('the name of a host that is connected', async () => {
    await connect(1);
    const { name } = scriptNode(1);
    const refused = `name-taken: the host "${name}" (${nodeId(1)}) is connected: join with another name, or remove that host first`;
    expect(await refusalOf(request(await create('agent'), { name }))).toBe(refused);
    expect(await refusalOf(request(await create('agent'), { name, nodeId: nodeId(1) }))).toBe(refused);
  });

  test('the name of a host that may be about to connect to a new leader, for a few seconds', async () => {
    await connect(1);
    const token = await create('agent', { name: scriptNode(1).name });
    const { manager: later } = await cluster.startManager('m2');
    await cluster.answer(manager.stop());
    manager = later;
    await cluster.clock.advance(seconds(5));
    const asked = request(token, { name: scriptNode(1).name });
    expect(await refusalOf(asked)).toMatch(/^busy: the managers have just elected a leader/);
    await cluster.clock.advance(seconds(20));
    expect(peerOf(await join({ ...asked, timeMs: BigInt(cluster.clock.wall()) }))).toBe(`agent/${nodeId(1)}`);
  });

  test('the name of a host that exists, with a token for any name, whatever id the joiner proposes', async () => {
    const { id } = await join(request(await create('agent')));
    const token = await create('agent', { uses: 9 });
    for (const nodeId_ of ['', id, nodeId(7)])
      expect(await refusalOf(request(token, { nodeId: nodeId_ }))).toBe(
        `name-taken: the cluster has a host "h1" (${id}). If this is that host, join with a token for it: "causeway node token create --role agent --name h1"; otherwise join with another name`,
      );
    expect(peerOf(await join(request(await create('agent', { name: 'h1' }))))).toBe(`agent/${id}`);
  });

  test.each<Role>(['agent', 'manager', 'operator'])('a token of an %s for another name', async (role) => {
    const token = await create(role, { name: 'x1' });
    expect((await tokens())[0]).toMatchObject({ name: 'x1', by: 'operator/tester' });
    expect(await refusalOf(request(token, { name: 'x2' }))).toMatch(
      /^token-refused: the join token is for the name "x1", and this host joins as "x2": join with --name x1/,
    );
    expect(await refusalOf(request(token, { name: 'x1' }))).toBe('admitted');
  });

  test('a token of an operator who was revoked, of any role', async () => {
    await join(request(await create('operator'), { name: 'eve' }));
    const eve = from({ kind: 'operator', name: 'eve' });
    const asked = { requestId: uuid(), role: 'operator', uses: 3, ttlMs: 0n, name: '' };
    const { secret } = await cluster.answer(manager.api.certificate.createToken(asked, eve));
    const token = unwrap(parseToken(secret));
    expect(await refusalOf(request(token, { name: 'eve2' }))).toBe('admitted');
    const revocation = { requestId: uuid(), name: 'eve' };
    await cluster.answer(manager.api.certificate.revokeOperator(revocation, cluster.call()));
    expect(await refusalOf(request(token, { name: 'eve3' }))).toMatch(/^token-revoked/);
  });

  test('the id of another host, or its name with another id', async () => {
    await connect(1);
    expect(await refusalOf(request(await create('agent'), { name: 'other', nodeId: nodeId(1) }))).toMatch(
      /^node-in-use: the id .* belongs to the host/,
    );
    const token = await create('agent', { uses: 3, name: 'h2' });
    await join(request(token, { name: 'h2' }));
    expect(await refusalOf(request(token, { name: 'h2', nodeId: nodeId(2) }))).toMatch(/^name-taken: .* another host/);
  });

  test('the id of a host that was removed', async () => {
    await remove(3, 'h1 was removed');
    expect(await refusalOf(request(await create('agent'), { nodeId: nodeId(3) }))).toMatch(
      /^node-removed: the host with the id .* was removed from the cluster \(h1 was removed\)/,
    );
  });

  test('too many calls from one address, while another address is served', async () => {
    const bad = request(await create('agent', { uses: 2 }), { tokenSecret: new Uint8Array(16) });
    const all: string[] = [];
    for (let i = 0; i < 25; i++) all.push((await refusalOf(bad, stranger('10.0.0.66'))).split(':')[0] ?? '');
    expect(all.filter((code) => code === 'busy').length).toBeGreaterThan(3);
    expect(await refusalOf(request(await create('agent')), stranger('10.0.0.8'))).toBe('admitted');
  });
});

/** As `node remove` writes it. */
async function remove(node: number, reason: string): Promise<void> {
  const [role, id] = ['agent', nodeId(node)] as const;
  const removal = { role, id, at: cluster.clock.wall(), until: cluster.clock.wall() + minutes(60), reason };
  const value = records.removed.codec.encode(removal);
  await cluster.storeOf(manager).txn([], [{ kind: 'put', key: keys.removed(role, id), value }]);
  await cluster.settle();
}

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
  expect(manager.view.removals.peers.get('manager/m2')).toBe(cluster.clock.wall());
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
  const { chain } = await join(request(token, { name: 'm2' }));
  const [certificate] = unwrap(readCertificates(chain.join('')));
  const issued = certificate === undefined ? 0 : issuedAt(certificate);
  expect(issued).toBeGreaterThan(manager.view.removals.peers.get('manager/m2') ?? Number.POSITIVE_INFINITY);
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
