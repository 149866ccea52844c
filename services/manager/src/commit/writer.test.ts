import { Prefix } from '@causeway/model';
import { milliseconds, seconds } from '@causeway/runtime';
import { MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import { describe, expect, test } from 'vitest';
import { createNetwork } from '../plan/create-network.ts';
import { deleteNetwork } from '../plan/delete-network.ts';
import type { Request } from '../plan/intent.ts';
import { reserveAddress } from '../plan/reservations.ts';
import { updateNetwork } from '../plan/update-network.ts';
import { CoreManager } from '../testing/core-manager.ts';
import { plainNetwork } from '../testing/plain-network.ts';
import {
  backend,
  claim,
  clock,
  countTxns,
  keys,
  leader,
  network,
  requestId,
  standby,
  write,
} from '../testing/writer-fixture.ts';

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

  test('a stand-by names the leader', async () => {
    await expect(write(standby, requestId(), network('blue'))).rejects.toMatchObject({
      code: 'not-leader',
      data: { leader: 'm1' },
    });
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
