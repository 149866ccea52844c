import { createRequest, type JoinToken, parseToken, readCertificates } from '@causeway/identity';
import { createKey } from '@causeway/identity/io';
import { unwrap } from '@causeway/model';
import { JoinRequest, type JoinResponse } from '@causeway/proto/gen/causeway/v1/certificate_service.js';
import { milliseconds, randomUuid, seconds } from '@causeway/runtime';
import { SeededRandom } from '@causeway/runtime/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Manager } from '../manager.ts';
import type { MemoryFault } from '../store/memory.ts';
import { callContext } from '../testing/call-context.ts';
import { MemoryCluster, type RunningManager } from '../testing/memory-cluster.ts';

let cluster: MemoryCluster;
let leader: RunningManager;
let next: Manager;
let token: JoinToken;
const random = new SeededRandom(8);

beforeEach(async () => {
  cluster = new MemoryCluster({ hasCa: true });
  leader = await cluster.startManager('m1');
  next = (await cluster.startManager('m2')).manager;
  const asked = { requestId: randomUuid(random), role: 'agent', uses: 3, ttlMs: 0n, name: '' };
  const created = await cluster.answer(leader.manager.api.certificate.createToken(asked, cluster.call()));
  token = unwrap(parseToken(created.secret));
});

afterEach(() => cluster.stop());

function request(): JoinRequest {
  return JoinRequest.create({
    requestId: randomUuid(random),
    tokenId: token.id,
    tokenSecret: token.secret,
    certificateRequest: createRequest(createKey()),
    name: 'h1',
    timeMs: BigInt(cluster.clock.wall()),
  });
}

const join = (by: Manager, asked: JoinRequest): Promise<JoinResponse> => {
  const peer = { kind: 'joiner', address: '10.0.0.7' } as const;
  return by.api.certificate.join(asked, callContext({ peer, isRetry: true, remaining: seconds(5) }));
};

/** What the store says about the joiner: uses of the token, and the serial number of its certificate. */
function recorded(by: Manager): readonly [used: number | undefined, serials: readonly string[]] {
  const agents = [...by.view.records('certificate').all.values()].filter(({ value }) => value.role === 'agent');
  return [by.view.records('token').get({ id: token.id })?.value.used, agents.map(({ value }) => value.serial)];
}

const serialOf = ({ chain }: JoinResponse): string | undefined => unwrap(readCertificates(chain.join('')))[0]?.serial;

test.each<[string, MemoryFault]>([
  ['before its write', 'lost-request'],
  ['after its write, before its answer', 'lost-reply'],
])('the leader dies %s: the joiner asks again, and joins once', async (_, fault) => {
  const asked = request();
  let isArmed = true;
  leader.store.fault = (operation) => {
    if (operation !== 'txn' || !isArmed) return 'none';
    isArmed = false;
    // A moment later: a manager that is cut off at once sends nothing.
    void cluster.clock.sleep(milliseconds(5)).then(() => cluster.cutOff(leader.manager));
    return fault;
  };
  join(leader.manager, asked).catch(() => undefined);
  await cluster.clock.advance(seconds(20));
  expect(next.isLeader).toBe(true);
  expect(recorded(next)[0]).toBe(fault === 'lost-reply' ? 1 : 0);
  const answer = await cluster.answer(join(next, asked));
  expect(recorded(next)).toEqual([1, [serialOf(answer)]]);
  expect(await cluster.answer(join(next, asked))).toEqual(answer);
  expect(recorded(next)).toEqual([1, [serialOf(answer)]]);
});

test('the same call at two managers, of which one leads and the other believes that it does', async () => {
  const asked = request();
  cluster.cutOff(leader.manager);
  const first = join(leader.manager, asked).catch((error: unknown) => error);
  await cluster.clock.advance(seconds(20));
  const answer = await cluster.answer(join(next, asked));
  leader.store.setReachable(true);
  await cluster.clock.advance(seconds(20));
  const former = await cluster.answer(first);
  if (!(former instanceof Error)) expect(former).toEqual(answer);
  expect(recorded(next)).toEqual([1, [serialOf(answer)]]);
});
