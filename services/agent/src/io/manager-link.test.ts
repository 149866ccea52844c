import { formatPeer } from '@causeway/identity';
import { peerOf } from '@causeway/identity/io';
import { TestCluster } from '@causeway/identity/io/testing';
import { CausewayError } from '@causeway/model';
import { endpointServiceDefinition } from '@causeway/proto/gen/causeway/v1/endpoint_service.grpc-server.js';
import { ClaimEndpointResponse } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import { sessionServiceDefinition } from '@causeway/proto/gen/causeway/v1/session_service.grpc-server.js';
import type { ConnectRequest, ConnectResponse } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { errorToService, serveUnary } from '@causeway/proto/io';
import { seconds } from '@causeway/runtime';
import { MemoryLog } from '@causeway/runtime/testing';
import { Server, type ServerDuplexStream, type UntypedHandleCall } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { GrpcManagerLink } from './manager-link.ts';

const cluster = new TestCluster();
const credentials = cluster.client('agent', 'a1a1a1a1a1a1a1a1');

type Stream = ServerDuplexStream<ConnectRequest, ConnectResponse>;

const cleanups: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

const unused: UntypedHandleCall = () => {
  throw new Error('no agent asks for this');
};

/** A manager that answers claims as the test sets, and gives each session to `serve`. */
async function manager(serve: (stream: Stream) => void = () => undefined): Promise<string> {
  const server = new Server();
  server.addService(sessionServiceDefinition, { connect: serve });
  server.addService(endpointServiceDefinition, {
    claimEndpoint: serveUnary(async ({ name }) => {
      if (name === 'web') return ClaimEndpointResponse.create({ endpoint: { name } });
      throw new CausewayError('not-leader', 'this manager does not lead', { leader: '10.0.0.2:7443' });
    }, new MemoryLog()),
    claimEndpoints: unused,
    releaseEndpoint: unused,
    detachEndpoint: unused,
    listEndpoints: unused,
    waitEndpoint: unused,
  });
  const { address, stop } = await cluster.serve(server);
  cleanups.push(stop);
  return address;
}

function link(): GrpcManagerLink {
  const made = new GrpcManagerLink({ credentials }, { name: 'h1' });
  cleanups.push(() => made.close());
  return made;
}

function nameOfPeer(stream: Stream): string {
  const peer = peerOf(stream);
  return peer === undefined ? '' : formatPeer(peer.name);
}

const hello: ConnectRequest = { message: { oneofKind: 'resync', resync: { networkId: 'n1' } } };
const answer: ConnectResponse = { message: { oneofKind: 'ready', ready: { revision: 7n } } };

async function read(messages: AsyncIterable<ConnectResponse>): Promise<ConnectResponse[]> {
  const all: ConnectResponse[] = [];
  for await (const message of messages) all.push(message);
  return all;
}

describe('GrpcManagerLink', () => {
  const claim = { requestId: 'r', network: 'blue', nodeId: 'n', addresses: [], labels: {}, endpointId: '' };
  const limits = { timeout: seconds(5) };

  it('claims, and gets the reason of a refusal and the leader', async () => {
    const address = await manager();
    const { endpoint } = await link().claimEndpoint(address, { ...claim, name: 'web' }, limits);
    expect(endpoint?.name).toBe('web');
    await expect(link().claimEndpoint(address, { ...claim, name: 'db' }, limits)).rejects.toMatchObject({
      code: 'not-leader',
      data: { leader: '10.0.0.2:7443' },
    });
  });

  it('says "unavailable" where no process listens', async () => {
    const unused = '127.0.0.1:1';
    await expect(link().claimEndpoint(unused, { ...claim, name: 'web' }, limits)).rejects.toMatchObject({
      kind: 'unavailable',
    });
    const channel = link().connect(unused);
    channel.send(hello);
    await expect(read(channel.messages)).rejects.toMatchObject({ code: 'manager-unavailable' });
  });

  it('carries messages both ways until the manager ends the session', async () => {
    const received: ConnectRequest[] = [];
    const address = await manager((stream) => {
      stream.on('data', (request: ConnectRequest) => {
        received.push(request);
        stream.write(answer);
        if (received.length === 2) stream.end();
      });
    });
    const channel = link().connect(address);
    channel.send(hello);
    channel.send(hello);
    expect(await read(channel.messages)).toEqual([answer, answer]);
    expect(received).toEqual([hello, hello]);
  });

  it('throws the refusal a manager ends a session with', async () => {
    const refusal = new CausewayError('cluster-mismatch', 'another cluster');
    const address = await manager((stream) => stream.emit('error', errorToService(refusal)));
    await expect(read(link().connect(address).messages)).rejects.toMatchObject({ code: 'cluster-mismatch' });
  });

  it('throws when the manager dies, and takes no harm from sending then', async () => {
    const address = await manager((stream) => stream.write(answer));
    const channel = link().connect(address);
    let count = 0;
    const reading = (async () => {
      for await (const _ of channel.messages) if (++count === 1) cleanups.shift()?.();
    })();
    await expect(reading).rejects.toMatchObject({ kind: 'unavailable' });
    channel.send(hello);
    channel.close();
  });

  it('uses new credentials for what begins then, while a session ends on its own connection', async () => {
    const callers: string[] = [];
    let say: (() => void) | undefined;
    const address = await manager((stream) => {
      callers.push(nameOfPeer(stream));
      stream.write(answer);
      say ??= () => {
        stream.write(answer);
        stream.end();
      };
    });
    const made = link();
    const first = made.connect(address);
    const messages = first.messages[Symbol.asyncIterator]();
    await messages.next();
    made.renew(cluster.client('agent', 'b2b2b2b2b2b2b2b2'));
    const second = made.connect(address);
    await second.messages[Symbol.asyncIterator]().next();
    expect(callers).toEqual(['agent/a1a1a1a1a1a1a1a1', 'agent/b2b2b2b2b2b2b2b2']);
    say?.();
    expect(await messages.next()).toEqual({ done: false, value: answer });
    expect((await messages.next()).done).toBe(true);
    second.close();
  });

  it('ends the reading when closed from here', async () => {
    const address = await manager((stream) => stream.write(answer));
    const channel = link().connect(address);
    let count = 0;
    const reading = (async () => {
      for await (const _ of channel.messages) if (++count === 1) channel.close();
    })();
    await reading.catch(() => undefined);
    expect(count).toBe(1);
  });
});
