import { type Enrolled, enroll, type Knock } from '@causeway/enrollment';
import { MemoryHome } from '@causeway/enrollment/testing';
import { hasPin, type JoinToken, parseSealingKeyFile, parseToken, type Role } from '@causeway/identity';
import { createKey } from '@causeway/identity/io';
import { CausewayError, type Name, unwrap } from '@causeway/model';
import { minutes, randomUuid, seconds } from '@causeway/runtime';
import { SeededRandom } from '@causeway/runtime/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Manager } from '../manager.ts';
import { callContext } from '../testing/call-context.ts';
import { MemoryCluster } from '../testing/memory-cluster.ts';

// The joiner's side and the manager's side of a join, together. The connection between them is that of packages/enrollment.
const random = new SeededRandom(4);
let cluster: MemoryCluster;
let manager: Manager;
let lost: number;

beforeEach(async () => {
  cluster = new MemoryCluster({ hasCa: true });
  manager = (await cluster.startManager()).manager;
  lost = 0;
});
afterEach(() => cluster.stop());

const knock: Knock = (address, by) => {
  const call = callContext({ peer: { kind: 'joiner', address: '10.0.0.7' }, remaining: seconds(5) });
  const pinned = async (): Promise<void> => {
    if ('chain' in by || cluster.founded?.founding.ca.roots.some((root) => hasPin(root, by))) return;
    throw new CausewayError('ca-mismatch', `${address} has another CA`);
  };
  return {
    getTrust: async (request) => {
      await pinned();
      return await manager.api.certificate.getTrust(request, call);
    },
    join: async (request) => {
      const answer = await manager.api.certificate.join(request, call);
      if (lost-- > 0) throw new CausewayError('timed-out', 'no answer in time');
      return answer;
    },
    close: () => undefined,
  };
};

async function tokenFor(role: Role, uses = 1, name = ''): Promise<JoinToken> {
  const request = { requestId: randomUuid(random), role, uses, ttlMs: 0n, name };
  const { secret } = await cluster.answer(manager.api.certificate.createToken(request, cluster.call()));
  return unwrap(parseToken(secret));
}

function join(token: JoinToken, name: string, home = new MemoryHome()): Promise<Enrolled> {
  const parts = { knock, home, createKey, clock: cluster.clock, random };
  const hosts = token.role === 'manager' ? ['127.0.0.1', '10.0.0.7'] : [];
  const asked = { token, addresses: ['m1:7443'], name: name as Name, hosts };
  return cluster.answer(enroll(parts, asked, new AbortController().signal));
}

const codeOf = (joining: Promise<unknown>): Promise<string> =>
  joining.then(
    () => 'joined',
    (error: CausewayError) => error.code,
  );

describe('a joiner becomes what its token says', () => {
  test.each<[Role, RegExp]>([
    ['agent', /^[0-9a-f]{16}$/],
    ['manager', /^x1$/],
    ['operator', /^x1$/],
  ])('%s', async (role, id) => {
    const home = new MemoryHome();
    const { membership } = await join(await tokenFor(role), 'x1', home);
    expect(membership).toMatchObject({ name: { cluster: cluster.founded?.founding.clusterId, role } });
    expect(membership.name.id).toMatch(id);
    const file = home.kept?.sealingKeyFile;
    if (role === 'manager') expect(unwrap(parseSealingKeyFile(file ?? ''))).toMatchObject({ state: 'open' });
    else expect(file).toBeUndefined();
  });
});

test('a join whose answers were lost uses its token once', async () => {
  const token = await tokenFor('agent');
  const home = new MemoryHome();
  lost = 100;
  expect(await codeOf(join(token, 'h1', home))).toBe('timed-out');
  lost = 0;
  const { membership } = await join(token, 'h1', home);
  expect(await join(token, 'h1', home)).toMatchObject({ membership: { name: membership.name }, wasMember: true });
  const { tokens } = await manager.api.certificate.listTokens({}, cluster.call());
  expect(tokens.map(({ used }) => used)).toEqual([1]);
});

test('a host that has lost its data joins again under its name, and keeps its id', async () => {
  const before = (await join(await tokenFor('agent'), 'h1')).membership.name;
  expect((await join(await tokenFor('agent', 1, 'h1'), 'h1')).membership.name).toEqual(before);
});

test('a host that kept its data joins again with a new token', async () => {
  const home = new MemoryHome();
  const before = (await join(await tokenFor('agent'), 'h1', home)).membership.name;
  expect((await join(await tokenFor('agent', 1, 'h1'), 'h1', home)).membership.name).toEqual(before);
});

describe('refused', () => {
  test.each<[string, () => Promise<JoinToken>, string]>([
    [
      'a used token',
      async () => {
        const token = await tokenFor('agent');
        await join(token, 'h9');
        return token;
      },
      'token-used',
    ],
    [
      'an expired token',
      async () => {
        const token = await tokenFor('agent');
        await cluster.clock.advance(minutes(61));
        return token;
      },
      'token-expired',
    ],
    [
      'a revoked token',
      async () => {
        const token = await tokenFor('agent');
        const request = { requestId: randomUuid(random), tokenId: token.id };
        await cluster.answer(manager.api.certificate.revokeToken(request, cluster.call()));
        return token;
      },
      'token-revoked',
    ],
    ['a guessed token', async () => ({ ...(await tokenFor('agent')), secret: new Uint8Array(16) }), 'token-refused'],
    [
      'a token of another cluster',
      async () => ({ ...(await tokenFor('agent')), pin: new Uint8Array(32) }),
      'ca-mismatch',
    ],
  ])('%s', async (_, tokenOf, code) => {
    expect(await codeOf(join(await tokenOf(), 'h1'))).toBe(code);
  });

  test('the name of a manager that runs', async () => {
    expect(await codeOf(join(await tokenFor('manager'), 'm1'))).toBe('manager-exists');
  });
});
