import { seconds } from '@causeway/runtime';
import { describe, expect, test } from 'vitest';
import { encodeRecord } from '../events/record.ts';
import type { MemoryFault } from '../store/memory.ts';
import {
  backend,
  claim,
  clock,
  events,
  eventTexts,
  keys,
  leader,
  makeLate,
  network,
  requestId,
  write,
} from '../testing/writer-fixture.ts';

describe('events of writes', () => {
  test('who did it, why, and at which revision', async () => {
    const id = requestId();
    const { revision } = await write(leader, id, network('blue'));
    const [joined, created] = events();
    expect(joined).toMatchObject({ kind: 'node.joined', host: 'h1', actor: 'manager/m1', cause: 'set-up' });
    expect(created).toMatchObject({ kind: 'network.created', network: 'blue', actor: 'tester', cause: id, revision });
    expect(created?.sequence).toBe(revision * 256n);
  });

  test('as whom the caller was known, and by which method it asked', async () => {
    const call = {
      actor: 'mary@laptop',
      peer: { kind: 'operator', name: 'mary' },
      method: '/causeway.v1.NetworkService/CreateNetwork',
    } as const;
    await leader.writer.write(requestId(), network('blue'), call);
    expect(events().at(-1)).toMatchObject({
      actor: 'mary@laptop',
      subject: 'operator/mary',
      method: 'NetworkService/CreateNetwork',
    });
    expect(events()[0]).toMatchObject({ subject: '', method: '', refusal: '', object: '' });
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
