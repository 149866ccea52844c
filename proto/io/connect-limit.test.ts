import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Client } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { limitConnects } from './connect-limit.ts';
import { plaintext } from './credentials.ts';

const within = 150;
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/**
 * A server whose process is stopped. The kernel accepts connections for it until its short queue is full, then drops
 * them.
 */
async function stopped(): Promise<{ port: number }> {
  const script =
    "const s=require('net').createServer(c=>c.write('x')).listen({port:0,host:'127.0.0.1',backlog:1},()=>console.log(s.address().port))";
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  cleanups.push(() => child.kill('SIGKILL'));
  const [port] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  child.kill('SIGSTOP');
  return { port: Number(port.toString()) };
}

function open(port: number): Socket {
  const socket = connect(port, '127.0.0.1');
  cleanups.push(() => socket.destroy());
  return socket;
}

async function failure(socket: Socket): Promise<string> {
  const [error] = (await once(socket, 'error')) as [Error];
  return error.message;
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => server.close());
  return (server.address() as { port: number }).port;
}

describe('limitConnects', () => {
  it('ends a connection that was accepted and stays silent, and a connection that was not accepted', async () => {
    cleanups.push(limitConnects(within));
    const { port } = await stopped();
    const said = await Promise.all(Array.from({ length: 8 }, () => failure(open(port))));
    expect(said).toContainEqual(expect.stringMatching(/was accepted, but the server sent nothing/));
    expect(said).toContainEqual(expect.stringMatching(/was not accepted within/));
  });

  it('leaves alone a connection on which something was received, however long it is silent then', async () => {
    cleanups.push(limitConnects(within));
    const port = await listen(createServer((socket) => void socket.write('hello')));
    const socket = open(port);
    await once(socket, 'data');
    await failure(open(await listen(createServer())));
    expect(socket.destroyed).toBe(false);
  });

  it('a gRPC client says that a stopped server is not there, rather than connect for minutes', async () => {
    cleanups.push(limitConnects(within));
    const { port } = await stopped();
    const fillers = Array.from({ length: 4 }, () => open(port));
    for (const filler of fillers) filler.on('error', () => undefined);
    const client = new Client(`127.0.0.1:${port}`, plaintext, {
      'grpc.initial_reconnect_backoff_ms': 50,
      'grpc.max_reconnect_backoff_ms': 50,
    });
    cleanups.push(() => client.close());
    const states: number[] = [];
    const channel = client.getChannel();
    const next = (timeout: number): Promise<number> =>
      new Promise((resolve) => {
        const before = channel.getConnectivityState(true);
        states.push(before);
        channel.watchConnectivityState(before, Date.now() + timeout, () => resolve(channel.getConnectivityState(true)));
      });
    // IDLE, CONNECTING, TRANSIENT_FAILURE (3)
    let state = await next(2_000);
    while (state !== 3 && states.length < 6) state = await next(2_000);
    expect(state).toBe(3);
  });

  it('does nothing any more once it is ended', async () => {
    limitConnects(within)();
    const port = await listen(createServer());
    const socket = open(port);
    await once(socket, 'connect');
    cleanups.push(limitConnects(within));
    await failure(open(port));
    expect(socket.destroyed).toBe(false);
  });
});
