/** Servers that answer as a test says, and clients of them. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestCluster } from '@causeway/identity/io/testing';
import type { WatchEventsRequest } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import {
  type INetworkService,
  networkServiceDefinition,
} from '@causeway/proto/gen/causeway/v1/network_service.grpc-server.js';
import { ListNetworksRequest } from '@causeway/proto/gen/causeway/v1/network_service.js';
import { serveUnary } from '@causeway/proto/io';
import { type Fields, milliseconds } from '@causeway/runtime';
import { systemClock } from '@causeway/runtime/io';
import { Server, ServerCredentials, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { afterAll, afterEach } from 'vitest';
import type { Clients } from '../clients.ts';
import { grpcConnect } from '../io/grpc-clients.ts';
import type { blue } from './samples.ts';

export const folder = mkdtempSync(join(tmpdir(), 'causeway-ctl-'));

afterAll(() => rmSync(folder, { recursive: true }));

export const afterTest: (() => void)[] = [];

afterEach(() => {
  for (const cleanup of afterTest.splice(0)) cleanup();
});

/** The cluster of the managers and operators in these tests. */
export const cluster = new TestCluster();

const operator = cluster.client('operator', 'ops');
export const credentials = async () => operator;

export const connect = grpcConnect({ credentials, clock: systemClock, actor: 'root@h1' });

export function client(
  managers: readonly string[],
  {
    socket = join(folder, 'none.sock'),
    timeout = 5_000,
    signal = new AbortController().signal,
  }: { readonly socket?: string; readonly timeout?: number; readonly signal?: AbortSignal } = {},
): Clients {
  const clients = connect({ managers, socket, timeout: milliseconds(timeout) }, signal);
  afterTest.push(() => clients.close());
  return clients;
}

/** A manager of that cluster, or an agent on a unix socket, that gives the given answers, and UNIMPLEMENTED for everything else. */
export async function serve(at: string, services: Parameters<Server['addService']>[], of = cluster): Promise<string> {
  const server = new Server();
  for (const [definition, handlers] of services) server.addService(definition, handlers);
  if (!at.startsWith('unix:')) {
    const { address, stop } = await of.serve(server, of.member('manager', 'm1'), Number(/\d+$/.exec(at)));
    afterTest.push(stop);
    return address;
  }
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(at, ServerCredentials.createInsecure(), (error) => (error === null ? resolve() : reject(error)));
  });
  afterTest.push(() => server.forceShutdown());
  return at;
}

export const everything = ListNetworksRequest.create();

export const anyPort = '127.0.0.1:0';

export const noDefect = {
  error: (event: string, fields?: Fields): never => {
    throw new Error(`${event}: ${String(fields?.['message'])}`);
  },
};

export function networks(
  listNetworks: () => Promise<{ networks: (typeof blue)[]; revision: bigint; nextPageToken: string }>,
) {
  const handlers = { listNetworks: serveUnary(listNetworks, noDefect) } satisfies Partial<INetworkService>;
  return [networkServiceDefinition, handlers as UntypedServiceImplementation] as [never, never];
}

export const allEvents: WatchEventsRequest = {
  fromSequence: 0n,
  follow: false,
  sinceMs: 0n,
  kinds: [],
  network: '',
  host: '',
  tail: 0,
};

export async function sequences(of: Clients, follow: boolean, enough = Number.POSITIVE_INFINITY): Promise<bigint[]> {
  const seen: bigint[] = [];
  for await (const event of of.managers.watchEvents({ ...allEvents, follow })) {
    seen.push(event.sequence);
    if (seen.length >= enough) break;
  }
  return seen;
}
