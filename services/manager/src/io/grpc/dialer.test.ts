import { connect, createServer, type Socket, type Server as TcpServer } from 'node:net';
import { milliseconds } from '@causeway/runtime';
import { Server } from '@grpc/grpc-js';
import { afterEach, describe, test } from 'vitest';
import { dialerContract } from '../../election/dialer-contract.ts';
import { testCluster } from '../../testing/members.ts';
import { GrpcDialer } from './dialer.ts';
import { Health } from './health.ts';
import { splitHostPort } from './host-port.ts';

/** A port in front of a server, whose connections can be broken. */
class Front {
  readonly #sockets = new Set<Socket>();
  readonly #server: TcpServer;

  constructor(take: (socket: Socket) => void) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => this.#sockets.delete(socket));
      take(socket);
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const { port } = this.#server.address() as { readonly port: number };
    return `127.0.0.1:${port}`;
  }

  breakConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.#server.close();
    this.breakConnections();
  }
}

const ends: (() => void)[] = [];
const fronts = new Map<string, Front>();

afterEach(() => {
  for (const front of fronts.values()) front.close();
  for (const end of ends.splice(0)) end();
  fronts.clear();
});

async function listen(take: (socket: Socket) => void): Promise<string> {
  const front = new Front(take);
  const address = await front.listen();
  fronts.set(address, front);
  return address;
}

/** Runs a server that evaluates its health again for each connection. */
async function run(leads: () => boolean): Promise<string> {
  const server = new Server();
  const health = new Health(server);
  const { address, stop } = await testCluster.serve(server);
  ends.push(stop);
  return await listen((socket) => {
    health.tell({ leads: leads(), forwards: false });
    const behind = connect(splitHostPort(address));
    behind.on('error', () => undefined);
    behind.on('close', () => socket.destroy());
    socket.on('close', () => behind.destroy());
    socket.pipe(behind).pipe(socket);
  });
}

describe('GrpcDialer holds the contract of dialers', () => {
  test.each(dialerContract)('$name', (story) =>
    story.run({
      dialer: new GrpcDialer({ credentials: testCluster.client('manager', 'm2'), patience: milliseconds(500) }),
      run,
      end: async (address) => fronts.get(address)?.close(),
      breakConnections: async (address) => fronts.get(address)?.breakConnections(),
      hang: () => listen(() => undefined),
    }),
  );
});
