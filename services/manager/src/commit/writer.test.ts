import { type Ip, type Name, type Node, type NodeId, Prefix, type RequestId } from '@causeway/model';
import type { Event } from '@causeway/proto/gen/causeway/v1/types.js';
import { type Duration, milliseconds, randomUuid, seconds } from '@causeway/runtime';
import { FakeClock, MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decodeRecord, encodeRecord } from '../events/record.ts';
import { claimEndpoint } from '../plan/claim-endpoint.ts';
import { createNetwork } from '../plan/create-network.ts';
import { deleteNetwork } from '../plan/delete-network.ts';
import type { Request } from '../plan/intent.ts';
import { registerNode } from '../plan/register-node.ts';
import { releaseEndpoint } from '../plan/release-endpoint.ts';
import { reserveAddress } from '../plan/reservations.ts';
import { updateNetwork } from '../plan/update-network.ts';
import { createKeys } from '../store/keys.ts';
import type { MemoryFault } from '../store/memory.ts';
import { MemoryBackend } from '../store/memory-backend.ts';
import { CoreManager } from '../testing/core-manager.ts';
import { plainNetwork } from '../testing/plain-network.ts';
import type { Committed } from './outcomes.ts';

const ttl = seconds(3);
const keys = createKeys();
const random = new SeededRandom(42);
const node: Node = {
  id: '00000000000000a1' as NodeId,
  name: 'h1' as Name,
  dataPath: '192.0.2.1' as Ip,
  underlayMtu: 1500,
  version: '0.1.0',
};

const requestId = () => randomUuid(random) as RequestId;
const network = (name: string, prefix = '10.66.0.0/16') => createNetwork(plainNetwork(name, [prefix]));
const claim = (name: string, addresses: readonly string[] = []) =>
  claimEndpoint({ network: 'blue', name: name as Name, node: node.id, addresses: addresses as readonly Ip[] });

let clock: FakeClock;
let backend: MemoryBackend;
let log: MemoryLog;
let leader: CoreManager;
let standby: CoreManager;

beforeEach(async () => {
  clock = new FakeClock();
  backend = new MemoryBackend({ clock });
  log = new MemoryLog();
  leader = await started('m1', 1);
  standby = await started('m2', 2);
  await leader.writer.apply(registerNode(node), { cause: 'set-up' });
});

afterEach(async () => {
  for (const one of [leader, standby]) await clock.until(one.stop(), seconds(60));
  backend.close();
});

async function started(name: string, seed: number): Promise<CoreManager> {
  const made = new CoreManager({ clock, backend, random: new SeededRandom(seed), log }, { name, ttl });
  await made.start();
  await clock.advance(milliseconds(1));
  return made;
}

function write<Reply>(
  manager: CoreManager,
  id: RequestId,
  request: Request<Reply>,
  signal?: AbortSignal,
): Promise<Committed<Reply>> {
  return manager.writer.write(id, request, { actor: 'tester', ...(signal !== undefined && { signal }) });
}

/** Every event in the store, in the order of their keys. */
function events(): readonly Event[] {
  return backend.history.list(keys.events).flatMap(decodeRecord);
}

const eventTexts = () => events().map(({ kind, endpoint }) => (endpoint === '' ? kind : `${kind} ${endpoint}`));

/** Counts the transactions from now on. */
function countTxns(): { count: number } {
  const counter = { count: 0 };
  leader.store.fault = (operation) => {
    if (operation === 'txn') counter.count++;
    return 'none';
  };
  return counter;
}

/** A call whose transaction arrives only after `span`, and whose caller learns only that the outcome is unknown. */
async function makeLate(call: Promise<unknown>, span: Duration): Promise<void> {
  leader.late = () => span;
  leader.store.fault = (operation) => (operation === 'read' ? 'refused' : 'none');
  await expect(clock.until(call, seconds(30))).rejects.toMatchObject({ code: 'timed-out' });
  leader.late = () => undefined;
  leader.store.fault = () => 'none';
}

describe('Writer', () => {
  test('answers when the view has it, with the revision that has it', async () => {
    const { reply, revision } = await write(leader, requestId(), network('blue'));
    expect(leader.view.revision).toBeGreaterThanOrEqual(revision);
    expect(leader.view.findNetwork('blue')).toMatchObject({ value: reply, revision });
  });

  test('a request id gives the same answer again, here and at the next leader', async () => {
    const id = requestId();
    const first = await write(leader, id, network('blue'));
    expect(await write(leader, id, network('blue'))).toEqual(first);
    await clock.until(leader.stop(), seconds(1));
    await clock.advance(milliseconds(1));
    expect(await write(standby, id, network('blue'))).toEqual(first);
    expect(standby.view.networks.size).toBe(1);
  });

  test('a request id is of one call only', async () => {
    const id = requestId();
    await write(leader, id, network('blue'));
    const reused = { code: 'request-reused', message: expect.stringMatching(/request_id.*network\.create/) };
    await expect(write(leader, id, network('green', '10.67.0.0/16'))).rejects.toMatchObject(reused);
    await expect(write(leader, id, deleteNetwork({ network: 'blue', force: false }))).rejects.toMatchObject(reused);
    expect(leader.view.networks.size).toBe(1);
  });

  test('what is wrong whatever the store holds costs the store nothing, also when it is tried again', async () => {
    let operations = 0;
    leader.store.fault = () => {
      operations++;
      return 'none';
    };
    const before = backend.history.revision;
    const addSubnets = Array.from({ length: 40 }, (_, i) => ({ prefix: Prefix(`10.${i + 1}.0.0/16`) }));
    const noChange = { setLabels: {}, removeLabels: [], addSubnets: [], removeSubnets: [], addRanges: [] };
    const wrong = [
      network('0123456789abcdef'),
      createNetwork(plainNetwork('blue', ['10.9.0.0/16'], { mtu: 7 })),
      createNetwork(plainNetwork('blue', ['10.9.0.0/16'], { vni: 2 ** 24 })),
      createNetwork(plainNetwork('blue', ['10.9.0.0/16'], { families: [6] })),
      claim('0123456789abcdef'),
      updateNetwork({ ...noChange, network: 'blue', gateways: 'all', mtu: 7 }),
      updateNetwork({ ...noChange, network: 'blue', gateways: 'all', addSubnets }),
      reserveAddress({ network: 'blue', purpose: '' }),
    ];
    for (const request of wrong as Request<unknown>[])
      for (const isRetry of [false, true])
        await expect(
          leader.writer.write(requestId(), request, { actor: 'tester', isRetry }),
          request.content,
        ).rejects.toMatchObject({ kind: 'invalid' });
    expect([operations, backend.history.revision]).toEqual([0, before]);
  });

  test('a refusal costs the store one read of its own, and all that are refused at once share another', async () => {
    await write(leader, requestId(), network('blue'));
    await write(leader, requestId(), claim('web'));
    let reads = 0;
    leader.store.fault = (operation) => {
      if (operation === 'read') reads++;
      return 'none';
    };
    const calls = Array.from({ length: 100 }, () => write(leader, requestId(), claim('web')));
    const answers = await Promise.allSettled(calls);
    expect(answers.filter(({ status }) => status === 'rejected')).toHaveLength(100);
    expect(reads).toBeLessThanOrEqual(100 + 2);
  });

  test('calls above the limit are refused as busy, and cause no request to the store', async () => {
    const busy = new CoreManager(
      { clock, backend, random: new SeededRandom(9), log: new MemoryLog() },
      { name: 'm9', ttl: seconds(3), mostCalls: 10 },
    );
    await clock.until(leader.stop(), seconds(1));
    await clock.until(standby.stop(), seconds(1));
    await busy.start();
    await clock.advance(seconds(1));
    expect(busy.leads).toBe(true);
    backend.freeze();
    const calls = Array.from({ length: 25 }, (_, i) =>
      write(busy, requestId(), network(`n${i}`, `10.${i + 1}.0.0/16`)),
    );
    const settled = Promise.allSettled(calls);
    const refused = await Promise.allSettled(calls.slice(10));
    expect(refused.map((each) => each.status === 'rejected' && each.reason.code)).toEqual(
      Array.from({ length: 15 }, () => 'busy'),
    );
    backend.unfreeze();
    const answers = await clock.until(settled, seconds(30));
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
    await write(busy, requestId(), network('late', '10.99.0.0/16'));
    await clock.until(busy.stop(), seconds(30));
  });

  test('outcomes are kept for ten minutes, on few leases', async () => {
    const ids = [requestId(), requestId()];
    for (const [i, id] of ids.entries()) await write(leader, id, network(`n${i}`, `10.${i + 1}.0.0/16`));
    const kept = () => ids.filter((id) => backend.history.get(keys.request(id)) !== undefined).length;
    await clock.advance(seconds(600));
    expect(kept()).toBe(2);
    await clock.advance(seconds(61));
    expect(kept()).toBe(0);
  });

  test('the same call twice at once is done once', async () => {
    const id = requestId();
    const both = await Promise.all([write(leader, id, network('blue')), write(leader, id, network('blue'))]);
    expect(both[0]).toEqual(both[1]);
    expect(leader.view.networks.size).toBe(1);
  });

  test('what comes while one is in flight goes together', async () => {
    await write(leader, requestId(), network('blue'));
    const txns = countTxns();
    const claims = Array.from({ length: 60 }, (_, i) => write(leader, requestId(), claim(`c${i}`)));
    const done = await Promise.all(claims);
    expect(txns.count).toBeLessThanOrEqual(3);
    const addresses = done.map(({ reply }) => reply.addresses[0]);
    expect(new Set(addresses).size).toBe(60);
    expect(addresses[59]).toBe('10.66.0.61/16');
  });

  test('a call that fails does not fail the others in its batch', async () => {
    await write(leader, requestId(), network('blue'));
    const names = ['a', 'b', 'a', 'c'];
    const results = await Promise.allSettled(names.map((name) => write(leader, requestId(), claim(name))));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(results[2]).toMatchObject({ reason: { code: 'name-taken' } });
  });

  test('networks made at once never overlap, and those that can be are all made', async () => {
    const prefixes = Array.from({ length: 40 }, (_, i) => `10.${i % 20}.0.0/16`);
    const results = await Promise.allSettled(
      prefixes.map((prefix, i) => write(leader, requestId(), network(`n${i}`, prefix))),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(20);
    const codes = results.map((result) => (result.status === 'rejected' ? result.reason.code : 'made'));
    expect(new Set(codes)).toEqual(new Set(['made', 'subnet-overlap']));
  });

  test('a lost reply: the outcome is looked up, nothing is taken twice', async () => {
    await write(leader, requestId(), network('blue'));
    let lost = 0;
    leader.store.fault = (operation) => (operation === 'txn' && lost++ === 0 ? 'lost-reply' : 'none');
    const { reply } = await clock.until(write(leader, requestId(), claim('web')), seconds(30));
    expect(leader.view.findEndpoint('web').value).toEqual(reply);
    expect(log.lines.map(({ event }) => event)).toContain('writer.outcome-unknown');
    expect((await write(leader, requestId(), claim('db'))).reply.addresses).toEqual(['10.66.0.3/16']);
  });

  test('a lost request: it is done after all', async () => {
    let lost = 0;
    leader.store.fault = (operation) => (operation === 'txn' && lost++ === 0 ? 'lost-request' : 'none');
    const { reply } = await clock.until(write(leader, requestId(), network('blue')), seconds(30));
    expect(leader.view.findNetwork('blue').value).toEqual(reply);
  });

  test('a store that does not answer: the outcome is unknown, and a later call with the same request id returns it', async () => {
    const id = requestId();
    backend.freeze();
    const attempt = clock.until(write(leader, id, network('blue')), seconds(60));
    await expect(attempt).rejects.toMatchObject({ kind: 'unavailable' });
    backend.unfreeze();
    await clock.advance(seconds(10));
    const now = [leader, standby].find(({ elector }) => elector.leadership.role === 'leader') ?? expect.fail();
    const { reply } = await clock.until(write(now, id, network('blue')), seconds(10));
    expect(now.view.findNetwork('blue').value).toEqual(reply);
    expect(now.view.networks.size).toBe(1);
  });

  test('a store that refuses: nothing was written, and it says so', async () => {
    leader.store.fault = () => 'refused';
    await expect(write(leader, requestId(), network('blue'))).rejects.toMatchObject({
      code: 'store-unavailable',
    });
    leader.store.fault = () => 'none';
    await write(leader, requestId(), network('blue'));
  });

  test('a stand-by names the leader', async () => {
    await expect(write(standby, requestId(), network('blue'))).rejects.toMatchObject({
      code: 'not-leader',
      data: { leader: 'm1' },
    });
  });

  test.each([
    { name: 'what another has by now', addresses: ['10.66.0.9'] },
    { name: 'no address', addresses: [] },
  ])('a leader paused in the middle of a write is fenced: it wants $name', async ({ addresses }) => {
    await write(leader, requestId(), network('blue'));
    leader.pause();
    const refused = expect(write(leader, requestId(), claim('stale', addresses))).rejects.toMatchObject({
      code: 'not-leader',
    });
    await clock.advance(seconds(10));
    const { reply } = await write(standby, requestId(), claim('web', ['10.66.0.9']));
    leader.resume();
    await clock.advance(seconds(1));
    await refused;
    expect(standby.view.endpointCount).toBe(1);
    expect(standby.view.findEndpoint('web').value).toEqual(reply);
  });

  test('a former leader that does not know of its successor refuses no call from its old view', async () => {
    await write(leader, requestId(), network('green', '10.67.0.0/16'));
    leader.pause();
    await clock.advance(seconds(10));
    await write(standby, requestId(), network('blue'));
    const call = write(leader, requestId(), claim('web'));
    const refused = expect(call).rejects.toMatchObject({ code: 'not-leader' });
    leader.resume();
    await clock.advance(seconds(1));
    await refused;
  });

  test('a refusal is final, also for a transaction that arrives after it', async () => {
    const id = requestId();
    await write(leader, requestId(), network('blue'));
    await makeLate(write(leader, id, claim('web')), seconds(60));
    const other = await write(leader, requestId(), claim('web'));
    await expect(write(leader, id, claim('web'))).rejects.toMatchObject({ code: 'name-taken' });
    await write(leader, requestId(), releaseEndpoint({ endpoint: other.reply.id, node: node.id, reason: 'asked' }));
    await clock.advance(seconds(60));
    expect(leader.view.endpointCount).toBe(0);
    await expect(write(leader, id, claim('web'))).rejects.toMatchObject({ code: 'name-taken' });
  });

  test('a refusal is final, also for a copy of the call that arrives after it', async () => {
    const id = requestId();
    const retry = { actor: 'tester', isRetry: true };
    await write(leader, requestId(), network('blue'));
    const other = await write(leader, requestId(), claim('web'));
    await expect(leader.writer.write(id, claim('web'), retry)).rejects.toMatchObject({ code: 'name-taken' });
    await write(leader, requestId(), releaseEndpoint({ endpoint: other.reply.id, node: node.id, reason: 'asked' }));
    await expect(write(leader, id, claim('web'))).rejects.toMatchObject({ code: 'name-taken' });
    expect(leader.view.endpointCount).toBe(0);
  });

  test('what was true already is not made true again by a copy of the call that arrives after its answer', async () => {
    const id = requestId();
    const nothing = { removeLabels: [], addSubnets: [], gateways: 'none', removeSubnets: [], addRanges: [] } as const;
    const label = (team: string) => updateNetwork({ ...nothing, network: 'blue', setLabels: { team } });
    const team = () => leader.view.findNetwork('blue').value.labels['team'];
    await write(leader, requestId(), network('blue'));
    const { revision } = await write(leader, requestId(), label('core'));
    const retry = { actor: 'tester', isRetry: true };
    expect((await leader.writer.write(id, label('core'), retry)).revision).toBe(revision);
    await write(leader, requestId(), label('edge'));
    await write(leader, id, label('core'));
    expect(team()).toBe('edge');
  });

  test('a network that arrives late overlaps none that was made meanwhile', async () => {
    const late = createNetwork(plainNetwork('late', ['10.66.0.0/24'], { vni: 5000 }));
    await makeLate(write(leader, requestId(), late), seconds(60));
    await write(leader, requestId(), network('blue'));
    await clock.advance(seconds(60));
    expect([...leader.view.networks.values()].map(({ value }) => value.name)).toEqual(['blue']);
  });

  test('the caller may leave; the change goes on', async () => {
    const abort = new AbortController();
    leader.store.latency = () => milliseconds(50);
    const attempt = write(leader, requestId(), network('blue'), abort.signal);
    abort.abort();
    await expect(attempt).rejects.toMatchObject({ code: 'timed-out' });
    await clock.advance(seconds(2));
    expect(leader.view.networks.size).toBe(1);
  });
});

describe('events of writes', () => {
  test('who did it, why, and at which revision', async () => {
    const id = requestId();
    const { revision } = await write(leader, id, network('blue'));
    const [joined, created] = events();
    expect(joined).toMatchObject({ kind: 'node.joined', host: 'h1', actor: 'manager/m1', cause: 'set-up' });
    expect(created).toMatchObject({ kind: 'network.created', network: 'blue', actor: 'tester', cause: id, revision });
    expect(created?.sequence).toBe(revision * 256n);
  });

  test('of a burst: one key a transaction, each event at its own place in it', async () => {
    await write(leader, requestId(), network('blue'));
    const before = backend.history.list(keys.events).length;
    await Promise.all(Array.from({ length: 20 }, (_, i) => write(leader, requestId(), claim(`c${i}`))));
    expect(backend.history.list(keys.events).length - before).toBeLessThan(5);
    const sequences = events().map(({ sequence }) => sequence);
    expect(new Set(sequences).size).toBe(22);
    expect(sequences).toEqual([...sequences].sort((a, b) => Number(a - b)));
  });

  test('a refused call leaves nothing, also when others of its batch are written', async () => {
    await write(leader, requestId(), network('blue'));
    await Promise.allSettled(['web', 'web', 'db'].map((name) => write(leader, requestId(), claim(name))));
    expect(eventTexts().slice(2).sort()).toEqual(['endpoint.attached db', 'endpoint.attached web']);
  });

  test.each<MemoryFault>(['lost-reply', 'lost-request'])('a retried call has one event: %s', async (fault) => {
    const id = requestId();
    let once = true;
    leader.store.fault = (operation) => {
      if (operation !== 'txn' || !once) return 'none';
      once = false;
      return fault;
    };
    await clock.until(write(leader, id, network('blue')), seconds(30));
    await write(leader, id, network('blue'));
    expect(eventTexts()).toEqual(['node.joined', 'network.created']);
  });

  test('a late transaction gets no event number before events that were already sent', async () => {
    await write(leader, requestId(), network('blue'));
    await makeLate(write(leader, requestId(), claim('late')), seconds(60));
    await write(leader, requestId(), claim('web'));
    await clock.advance(seconds(60));
    expect(eventTexts().slice(2)).toEqual(['endpoint.attached web']);
    expect(leader.view.endpointCount).toBe(1);
  });

  test('a leader whose clock is behind continues after the events of the former leader', async () => {
    const future = clock.wall() + 3_600_000;
    const value = encodeRecord(0, []);
    await leader.store.txn([], [{ kind: 'put', key: keys.eventsAt(keys.placeForEvents(future), 1), value }]);
    await write(leader, requestId(), network('blue'));
    expect(backend.history.list(keys.events).at(-1)?.key).toBe(keys.eventsAt(keys.placeForEvents(future, 1), 1));
  });
});
