import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CausewayError } from '@causeway/model';
import {
  agentServiceDefinition,
  type IAgentService,
} from '@causeway/proto/gen/causeway/v1/agent_service.grpc-server.js';
import {
  clusterServiceDefinition,
  type IClusterService,
} from '@causeway/proto/gen/causeway/v1/cluster_service.grpc-server.js';
import {
  GetStatusResponse,
  Manager,
  type WatchEventsRequest,
} from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import {
  type INetworkService,
  networkServiceDefinition,
} from '@causeway/proto/gen/causeway/v1/network_service.grpc-server.js';
import {
  CreateNetworkRequest,
  ListNetworksRequest,
  WatchNetworksRequest,
  type WatchNetworksResponse,
} from '@causeway/proto/gen/causeway/v1/network_service.js';
import type { Event } from '@causeway/proto/gen/causeway/v1/types.js';
import { clusterKey, errorToService, plaintext, remarkKey, serveUnary } from '@causeway/proto/io';
import { type Fields, milliseconds } from '@causeway/runtime';
import { systemClock } from '@causeway/runtime/io';
import { FakeClock } from '@causeway/runtime/testing';
import { Metadata, Server, type ServerWritableStream, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import type { Clients } from '../clients.ts';
import { blue, events, lone } from '../testing/samples.ts';
import { grpcConnect } from './grpc-clients.ts';

const folder = mkdtempSync(join(tmpdir(), 'causeway-ctl-'));
afterAll(() => rmSync(folder, { recursive: true }));
const afterTest: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of afterTest.splice(0)) cleanup();
});

const connect = grpcConnect({ credentials: plaintext, clock: systemClock, actor: 'root@h1' });

function client(
  managers: readonly string[],
  { socket = join(folder, 'none.sock'), timeout = 5_000, signal = new AbortController().signal } = {},
): Clients {
  const clients = connect({ managers, socket, timeout: milliseconds(timeout) }, signal);
  afterTest.push(() => clients.close());
  return clients;
}

/** A server that gives the given answers, and UNIMPLEMENTED for everything else. */
async function serve(at: string, services: Parameters<Server['addService']>[]): Promise<string> {
  const server = new Server();
  for (const [definition, handlers] of services) server.addService(definition, handlers);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(at, plaintext.server(), (error, bound) => (error === null ? resolve(bound) : reject(error)));
  });
  afterTest.push(() => server.forceShutdown());
  return `127.0.0.1:${port}`;
}

const everything = ListNetworksRequest.create();
const anyPort = '127.0.0.1:0';
const noDefect = {
  error: (event: string, fields?: Fields): never => {
    throw new Error(`${event}: ${String(fields?.['message'])}`);
  },
};

function networks(listNetworks: () => Promise<{ networks: (typeof blue)[]; revision: bigint; nextPageToken: string }>) {
  const handlers = { listNetworks: serveUnary(listNetworks, noDefect) } satisfies Partial<INetworkService>;
  return [networkServiceDefinition, handlers as UntypedServiceImplementation] as [never, never];
}

const allEvents: WatchEventsRequest = {
  fromSequence: 0n,
  follow: false,
  sinceMs: 0n,
  kinds: [],
  network: '',
  host: '',
  tail: 0,
};

async function sequences(of: Clients, follow: boolean, enough = Number.POSITIVE_INFINITY): Promise<bigint[]> {
  const seen: bigint[] = [];
  for await (const event of of.managers.watchEvents({ ...allEvents, follow })) {
    seen.push(event.sequence);
    if (seen.length >= enough) break;
  }
  return seen;
}

describe('managers', () => {
  test('no manager is set', () => {
    expect(() => client([]).managers).toThrow('no manager address is set');
  });

  test('each manager that answers says how it sees the cluster, and a manager that is away is left out', async () => {
    const at = (epoch: bigint) => {
      const getStatus = serveUnary(async () => GetStatusResponse.create({ epoch }), noDefect);
      return serve(anyPort, [[clusterServiceDefinition, { getStatus }] as [never, never]]);
    };
    const managers = [await at(1n), '127.0.0.1:1', await at(2n)];
    const statuses = await client(managers).managers.getStatuses();
    expect(statuses.map(({ epoch }) => epoch)).toEqual([1n, 2n]);
  });

  test('a standby names the leader, which is then asked', async () => {
    const leader = await serve(anyPort, [
      networks(async () => ({ networks: [blue], revision: 7n, nextPageToken: '' })),
    ]);
    const standby = await serve(anyPort, [
      networks(() => Promise.reject(new CausewayError('not-leader', 'standing by', { leader }))),
    ]);
    expect(await client([standby]).managers.listNetworks(everything)).toEqual({
      networks: [blue],
      revision: 7n,
      nextPageToken: '',
    });
  });

  test('a manager that is gone is passed over', async () => {
    const alive = await serve(anyPort, [networks(async () => ({ networks: [blue], revision: 7n, nextPageToken: '' }))]);
    expect((await client(['127.0.0.1:1', alive]).managers.listNetworks(everything)).revision).toBe(7n);
  });

  test('no manager is there', async () => {
    const call = client(['127.0.0.1:1'], { timeout: 1_000 }).managers.listNetworks(everything);
    await expect(call).rejects.toMatchObject({
      code: 'manager-unavailable',
      message: 'no manager answers (127.0.0.1:1): connect ECONNREFUSED 127.0.0.1:1',
    });
  });

  test('the only manager does not answer', async () => {
    const silent = await serve(anyPort, [networks(() => new Promise(() => undefined))]);
    const call = client([silent], { timeout: 50 }).managers.listNetworks(everything);
    await expect(call).rejects.toMatchObject({
      code: 'timed-out',
      message: `no answer from the manager (${silent}) within 50ms`,
    });
  });

  test('a standby that named the leader does not explain a leader that does not answer', async () => {
    const leader = await serve(anyPort, [networks(() => new Promise(() => undefined))]);
    const standby = await serve(anyPort, [
      networks(() => Promise.reject(new CausewayError('not-leader', 'standing by', { leader }))),
    ]);
    const call = client([standby], { timeout: 1_000 }).managers.listNetworks(everything);
    await expect(call).rejects.toMatchObject({ code: 'timed-out' });
  });

  const answering = async () => ({ networks: [blue], revision: 7n, nextPageToken: '' });

  test('a manager that takes calls and does not answer costs a read a moment, and the next read nothing', async () => {
    let asked = 0;
    const hanging = networks(() => {
      asked++;
      return new Promise(() => undefined);
    });
    const { managers } = client([await serve(anyPort, [hanging]), await serve(anyPort, [networks(answering)])]);
    expect((await managers.listNetworks(everything)).revision).toBe(7n);
    expect((await managers.listNetworks(everything)).revision).toBe(7n);
    expect(asked).toBe(1);
  });

  test('when all managers refuse connections, the command ends soon, whatever its timeout', async () => {
    const began = systemClock.now();
    await expect(
      client(['127.0.0.1:1', '127.0.0.1:2'], { timeout: 60_000 }).managers.listNetworks(everything),
    ).rejects.toMatchObject({ code: 'manager-unavailable' });
    await expect(
      sequences(client(['127.0.0.1:1'], { timeout: 60_000 }), true),
      'a stream that never began',
    ).rejects.toMatchObject({ code: 'manager-unavailable' });
    // With their timeouts, the two calls could take two minutes.
    expect(systemClock.now() - began).toBeLessThan(30_000);
  });

  test('the remark beside an answer is passed on once', async () => {
    const remarks: string[] = [];
    const remarking = networks(answering);
    const { listNetworks } = remarking[1] as unknown as { listNetworks: (...call: unknown[]) => void };
    const handler = (call: { sendMetadata(metadata: Metadata): void }, done: unknown): void => {
      const metadata = new Metadata();
      metadata.set(remarkKey, 'from m2, which follows');
      call.sendMetadata(metadata);
      listNetworks(call, done);
    };
    const address = await serve(anyPort, [[networkServiceDefinition, { listNetworks: handler }] as [never, never]]);
    const onRemark = (remark: string): void => void remarks.push(remark);
    const settings = { managers: [address], socket: '', timeout: milliseconds(5_000) };
    const world = { credentials: plaintext, clock: systemClock, actor: '', onRemark };
    const clients = grpcConnect(world)(settings, new AbortController().signal);
    afterTest.push(() => clients.close());
    await clients.managers.listNetworks(everything);
    await clients.managers.listNetworks(everything);
    expect(remarks).toEqual(['from m2, which follows']);
  });

  /** A manager of this cluster, which answers from memory. */
  async function managerOf(cluster: string, name: string, changed: string[] = []): Promise<string> {
    const headers = new Metadata();
    headers.set(clusterKey, cluster);
    const answer =
      (value: unknown) => (call: { sendMetadata(of: Metadata): void }, done: (...of: unknown[]) => void) => {
        call.sendMetadata(headers);
        done(null, value);
      };
    const listNetworks = answer({ networks: [blue], revision: 7n, nextPageToken: '' });
    const createNetwork = (call: never, done: never): void => {
      changed.push(name);
      answer({ network: blue })(call, done);
    };
    const manager = Manager.create({ name });
    return await serve(anyPort, [
      [networkServiceDefinition, { listNetworks, createNetwork }] as [never, never],
      [clusterServiceDefinition, { describeManager: answer({ manager }) }] as [never, never],
    ]);
  }

  function heeding(managers: readonly string[]): { readonly clients: Clients; readonly remarks: string[] } {
    const remarks: string[] = [];
    const onRemark = (remark: string): void => void remarks.push(remark);
    const settings = { managers, socket: '', timeout: milliseconds(5_000) };
    const world = { credentials: plaintext, clock: systemClock, actor: '', onRemark };
    const clients = grpcConnect(world)(settings, new AbortController().signal);
    afterTest.push(() => clients.close());
    return { clients, remarks };
  }

  const [red, green] = ['00000000000000c1', '00000000000000c2'];

  test('managers of two clusters: a read is answered by the first and warns, a change is refused before it is sent', async () => {
    const changed: string[] = [];
    const [one, two] = [await managerOf(red, 'm1', changed), await managerOf(green, 'x1', changed)];
    const { clients, remarks } = heeding([one, two]);
    expect((await clients.managers.listNetworks(everything)).revision).toBe(7n);
    await clients.managers.listNetworks(everything);
    const both = `m1 at ${one} belongs to ${red}, and x1 at ${two} belongs to ${green}`;
    expect(remarks).toEqual([expect.stringContaining(both)]);
    expect(remarks[0]).toContain(`this answer is from cluster ${red}`);
    const change = clients.managers.createNetwork(CreateNetworkRequest.create({ name: 'blue' }));
    await expect(change).rejects.toMatchObject({ code: 'cluster-mismatch', message: expect.stringContaining(both) });
    expect(changed).toEqual([]);
  });

  test.each([
    ['of one cluster', red, green.replace('2', '1')],
    ['of which one says nothing', red, ''],
  ])('managers %s: no warning, and changes are made', async (_, ...ids) => {
    const changed: string[] = [];
    const [one, two] = [await managerOf(ids[0], 'm1', changed), await managerOf(ids[1], 'm2', changed)];
    const { clients, remarks } = heeding([one, two]);
    await clients.managers.listNetworks(everything);
    await clients.managers.createNetwork(CreateNetworkRequest.create({ name: 'blue' }));
    expect({ remarks, changed }).toEqual({ remarks: [], changed: ['m1'] });
  });

  test('a stream warns beside what it brings', async () => {
    const { clients, remarks } = heeding([await managerOf(red, 'm1'), await managerOf(green, 'x1')]);
    const watching = (async () => {
      for await (const _ of clients.managers.watchNetworks(WatchNetworksRequest.create())) return;
    })().catch(() => undefined);
    await expect.poll(() => remarks).toEqual([expect.stringContaining('different clusters')]);
    await watching;
  });

  test('a refusal is not asked again', async () => {
    let asked = 0;
    const refusing = await serve(anyPort, [
      networks(() => {
        asked++;
        return Promise.reject(new CausewayError('permission-denied', 'not you', { role: 'none' }));
      }),
    ]);
    await expect(client([refusing, refusing]).managers.listNetworks(everything)).rejects.toMatchObject({
      code: 'permission-denied',
      message: 'not you',
      data: { role: 'none' },
    });
    expect(asked).toBe(1);
  });
});

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
    const clients = grpcConnect({ credentials: plaintext, clock, actor: '' })(settings, new AbortController().signal);
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
    expect(await sequences(client([standby, leader]), false)).toEqual([1n, 2n]);
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

describe('the agent', () => {
  const attach = {
    requestId: 'r',
    network: 'blue',
    name: 'web',
    netns: '/run/netns/web',
    ifname: 'eth0',
    addresses: [],
    labels: {},
    gatewayPriority: 0,
  };

  test('no socket', async () => {
    await expect(client([]).agent.attach(attach)).rejects.toMatchObject({
      code: 'agent-unavailable',
      message: `no agent on this host: there is no socket ${join(folder, 'none.sock')}`,
    });
  });

  test('answers on its socket, also when it has just come back', async () => {
    const socket = join(folder, 'agent.sock');
    let tries = 0;
    const handlers: Partial<IAgentService> = {
      attach: serveUnary(() => {
        tries++;
        if (tries === 1) return Promise.reject(new CausewayError('shutting-down', 'restarting'));
        return Promise.resolve({ endpoint: lone, alreadyAttached: true });
      }, noDefect),
    };
    await serve(`unix:${socket}`, [[agentServiceDefinition as never, handlers as never]]);
    expect(await client([], { socket }).agent.attach(attach)).toEqual({ endpoint: lone, alreadyAttached: true });
    expect(tries).toBe(2);
  });
});
