import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { contextOptions } from '@causeway/identity/io';
import { SessionServiceClient } from '@causeway/proto/gen/causeway/v1/session_service.grpc-client.js';
import { type ConnectRequest, Hello } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { Node } from '@causeway/proto/gen/causeway/v1/types.js';
import { errorFromService } from '@causeway/proto/io';
import { milliseconds } from '@causeway/runtime';
import type { ServiceError } from '@grpc/grpc-js';
import { afterEach, expect, test } from 'vitest';
import { type GrpcManager, startGrpcManager } from '../../testing/grpc-manager.ts';
import { agentOf, testCluster } from '../../testing/members.ts';
import { nodeId } from '../../testing/view-script.ts';

let manager: GrpcManager;

afterEach(() => manager.stop());

/** A connection of an agent without the limits of a gRPC client. */
function connectSecurely(address: string): ClientHttp2Session {
  const options = contextOptions(testCluster.credential('agent', nodeId(1)));
  // The name of the manager is checked elsewhere.
  return connectHttp2(`https://${address}`, { ...options, checkServerIdentity: () => undefined });
}

const connectPath = '/causeway.v1.SessionService/Connect';

/**
 * Opens session streams that send nothing and never close their end. Resolves when the manager has reset each of them.
 */
function silentStreams(session: ClientHttp2Session, count: number): Promise<unknown> {
  const headers = { ':method': 'POST', ':path': connectPath, 'content-type': 'application/grpc', te: 'trailers' };
  const closed = Array.from({ length: count }, () => {
    const stream = session.request(headers);
    stream.on('error', () => undefined).resume();
    return new Promise((resolve) => stream.on('close', resolve));
  });
  return Promise.all(closed);
}

function refusal(...messages: ConnectRequest['message'][]): Promise<unknown> {
  const client = new SessionServiceClient(manager.address, agentOf(nodeId(1)));
  const call = client.connect();
  call.on('data', () => undefined);
  for (const message of messages) call.write({ message });
  return new Promise((resolve) => {
    call.on('error', (error: ServiceError) => {
      client.close();
      resolve(errorFromService(error));
    });
  });
}

test('thousands of sessions that never say Hello and never close are ended, and others are served', async () => {
  manager = await startGrpcManager();
  const sessions = Array.from({ length: 3 }, () => connectSecurely(manager.address));
  await Promise.all(sessions.map((session) => silentStreams(session, 1_000)));
  for (const session of sessions) session.destroy();
  expect(manager.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  const field = { field: 'cursors[0].network_id' };
  const node = Node.create({ id: nodeId(1), name: 'h1', dataPath: '192.0.2.1', underlayMtu: 1500 });
  const cursors = [{ networkId: 'any', revision: 1n, digest: 0n, feedVersion: 1 }];
  const hello = Hello.create({ node, cursors });
  await expect(refusal({ oneofKind: 'hello', hello })).resolves.toMatchObject({
    code: 'invalid-argument',
    data: field,
  });
});

test('more streams at once than a connection may have wait at the client', async () => {
  manager = await startGrpcManager();
  const session = connectSecurely(manager.address);
  await new Promise((resolve) => session.once('remoteSettings', resolve));
  expect(session.remoteSettings.maxConcurrentStreams).toBe(1_000);
  session.destroy();
});

test('a first message that is larger than any Hello, and a flood before the Welcome, end the session', async () => {
  manager = await startGrpcManager();
  const labels = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`k${i}`, 'x'.repeat(15_000)]));
  const large = Hello.create({ node: Node.create({ labels }) });
  await expect(refusal({ oneofKind: 'hello', hello: large })).resolves.toMatchObject({ code: 'message-too-large' });
  const flood = Array.from({ length: 20 }, () => ({ oneofKind: 'hello', hello: Hello.create() }) as const);
  await expect(refusal(...flood)).resolves.toMatchObject({ kind: expect.stringMatching('invalid|exhausted') });
});

test('connections without a call are closed, whether or not they speak HTTP/2', async () => {
  manager = await startGrpcManager({ idleAfter: milliseconds(200) });
  const mute = Array.from({ length: 50 }, () => connectTcp(manager.port, '127.0.0.1').resume());
  const idle = connectSecurely(manager.address);
  await Promise.all([...mute, idle].map((each) => new Promise((resolve) => each.once('close', resolve))));
});
