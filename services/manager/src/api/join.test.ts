import { parseToken, type Role } from '@causeway/identity';
import { unwrap } from '@causeway/model';
import { minutes, seconds } from '@causeway/runtime';
import { describe, expect, test } from 'vitest';
import {
  anotherCluster,
  cluster,
  connect,
  create,
  from,
  join,
  manager,
  peerOf,
  refusalOf,
  remove,
  request,
  stranger,
  tokens,
  turnTo,
  uuid,
} from '../testing/certificates-fixture.ts';
import { nodeId, scriptNode } from '../testing/view-script.ts';

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
    turnTo(later);
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
