import { CausewayError } from '@causeway/model';
import {
  clusterServiceDefinition,
  type IClusterService,
} from '@causeway/proto/gen/causeway/v1/cluster_service.grpc-server.js';
import { networkServiceDefinition } from '@causeway/proto/gen/causeway/v1/network_service.grpc-server.js';
import { WatchNetworksRequest, type WatchNetworksResponse } from '@causeway/proto/gen/causeway/v1/network_service.js';
import type { Event } from '@causeway/proto/gen/causeway/v1/types.js';
import { errorToService } from '@causeway/proto/io';
import { milliseconds } from '@causeway/runtime';
import { FakeClock } from '@causeway/runtime/testing';
import type { ServerWritableStream, UntypedServiceImplementation } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { afterTest, allEvents, anyPort, client, credentials, sequences, serve } from '../testing/grpc-fixture.ts';
import { events } from '../testing/samples.ts';
import { grpcConnect } from './grpc-clients.ts';

function eventStream(watchEvents: IClusterService['watchEvents']) {
  return [clusterServiceDefinition, { watchEvents } as Partial<IClusterService>] as [never, never];
}

/** A manager that sends only a bookmark. */
function bookmarks() {
  const watchNetworks = (call: ServerWritableStream<WatchNetworksRequest, WatchNetworksResponse>): void => {
    call.write({ type: 'BOOKMARK', revision: 7n, more: false, epoch: 1n });
  };
  return [networkServiceDefinition, { watchNetworks } as unknown as UntypedServiceImplementation] as [never, never];
}

describe('watches', () => {
  const first = async (watching: AsyncIterable<WatchNetworksResponse>): Promise<unknown> => {
    for await (const { type, revision } of watching) return `${type} ${revision}`;
    return 'nothing';
  };

  test('each watch is one attempt at one manager, the next watch goes to the next manager', async () => {
    const live = await serve(anyPort, [bookmarks()]);
    const { managers } = client(['127.0.0.1:1', live]);
    const request = WatchNetworksRequest.create();
    await expect(first(managers.watchNetworks(request))).rejects.toMatchObject({ code: 'manager-unavailable' });
    expect(await first(managers.watchNetworks(request))).toBe('BOOKMARK 7');
    expect(await first(managers.watchNetworks(request))).toBe('BOOKMARK 7');
  });

  test('a manager that takes the call and does not answer is left', async () => {
    const clock = new FakeClock();
    let asked: () => void = () => undefined;
    const taken = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const silent = { watchNetworks: () => asked() } as unknown as UntypedServiceImplementation;
    const mute = await serve(anyPort, [[networkServiceDefinition, silent] as [never, never]]);
    const settings = { managers: [mute], socket: '', timeout: milliseconds(5_000) };
    const clients = grpcConnect({ credentials, clock, actor: '' })(settings, new AbortController().signal);
    afterTest.push(() => clients.close());
    const waiting = first(clients.managers.watchNetworks(WatchNetworksRequest.create()));
    waiting.catch(() => undefined);
    await taken;
    await clock.advance(milliseconds(3_000));
    await expect(waiting).rejects.toMatchObject({ code: 'timed-out' });
  });
});

describe('events', () => {
  test('kept events, from any manager that can answer', async () => {
    const standby = await serve(anyPort, [
      eventStream((call) => {
        call.emit('error', errorToService(new CausewayError('not-leader', 'standing by')));
      }),
    ]);
    const leader = await serve(anyPort, [
      eventStream((call) => {
        for (const event of events) call.write({ event });
        call.end();
      }),
    ]);
    expect(await sequences(client([standby, leader]), false)).toEqual([1n, 2n, 3n]);
  });

  test('a reader that has enough hangs up', async () => {
    let hungUp: () => void = () => undefined;
    const cancelled = new Promise<void>((resolve) => {
      hungUp = resolve;
    });
    const manager = await serve(anyPort, [
      eventStream((call) => {
        call.on('cancelled', hungUp);
        for (const event of events) call.write({ event });
      }),
    ]);
    expect(await sequences(client([manager]), true, 1)).toEqual([1n]);
    await cancelled;
  });

  test('a signal ends them without an error', async () => {
    const stop = new AbortController();
    const manager = await serve(anyPort, [
      eventStream((call) => {
        call.write({ event: events[0] as (typeof events)[0] });
      }),
    ]);
    const seen: bigint[] = [];
    const following = client([manager], { signal: stop.signal }).managers.watchEvents({ ...allEvents, follow: true });
    for await (const { sequence } of following) {
      seen.push(sequence);
      stop.abort({ exitCode: 130 });
    }
    expect(seen).toEqual([1n]);
  });

  test('when a manager ends a stream, another manager continues it without a gap or a repetition', async () => {
    const asked: bigint[] = [];
    const manager = (...tells: readonly number[]) =>
      serve(anyPort, [
        eventStream((call) => {
          asked.push(call.request.fromSequence);
          const from = events.filter(({ sequence }) => sequence >= call.request.fromSequence);
          for (const i of tells) call.write({ event: from[i] as Event });
          call.emit('error', errorToService(new CausewayError('shutting-down', 'the manager stops')));
        }),
      ]);
    expect(await sequences(client([await manager(0), await manager(0)]), true, 2)).toEqual([1n, 2n]);
    expect(asked).toEqual([0n, 2n]);
  });

  test('no manager answers', async () => {
    await expect(sequences(client(['127.0.0.1:1'], { timeout: 1_000 }), true)).rejects.toMatchObject({
      code: 'manager-unavailable',
    });
  });
});
