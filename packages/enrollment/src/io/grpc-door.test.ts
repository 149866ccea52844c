import { once } from 'node:events';
import { type AddressInfo, createServer, type Server as TcpServer } from 'node:net';
import { LiveCredential, PeerListener } from '@causeway/identity/io';
import { certificateServiceDefinition } from '@causeway/proto/gen/causeway/v1/certificate_service.grpc-server.js';
import type { GetTrustRequest, JoinRequest } from '@causeway/proto/gen/causeway/v1/certificate_service.js';
import { quietGrpc, serveUnary } from '@causeway/proto/io';
import { seconds } from '@causeway/runtime';
import { systemClock } from '@causeway/runtime/io';
import { MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import { Server } from '@grpc/grpc-js';
import { type DoorWorld, describeDoor, MemoryManagers } from '../testing/index.ts';
import { grpcKnock } from './grpc-door.ts';

quietGrpc();
const limits = { timeout: seconds(5), signal: new AbortController().signal };

describeDoor('in memory', async () => {
  const address = '10.0.0.1:7443';
  const [closed, silent] = ['10.0.0.2:7443', '10.0.0.3:7443'];
  const managers = new MemoryManagers({ clock: systemClock, random: new SeededRandom(1) }, [address, silent]);
  managers.fault(silent, 'silent');
  return { managers, knock: managers.knock, address, closed, silent, close: () => undefined };
});

describeDoor('gRPC', async (): Promise<DoorWorld> => {
  const address = '10.0.0.1:7443';
  const managers = new MemoryManagers({ clock: systemClock, random: new SeededRandom(1) }, [address]);
  const door = managers.knock(address, managers.pin);
  const log = new MemoryLog();
  const server = new Server();
  server.addService(certificateServiceDefinition, {
    getTrust: serveUnary((request: GetTrustRequest) => door.getTrust(request, limits), log),
    join: serveUnary((request: JoinRequest) => door.join(request, limits), log),
  });
  const credential = new LiveCredential(managers.managerCredential());
  const { trust } = credential.current;
  const expected = () => ({ cluster: managers.cluster, roles: ['agent'] as const, trust, now: systemClock.wall() });
  const listener = new PeerListener({ server, credential, expected }, { host: '127.0.0.1', port: 0 });
  const port = await listener.start();
  const mute = await listen();
  const gone = await listen();
  const closed = addressOf(gone);
  await new Promise((resolve) => gone.close(resolve));
  return {
    managers,
    knock: grpcKnock(systemClock),
    address: `127.0.0.1:${port}`,
    closed,
    silent: addressOf(mute),
    close: () => {
      listener.stop();
      server.forceShutdown();
      mute.close();
    },
  };
});

async function listen(): Promise<TcpServer> {
  const server = createServer((socket) => void socket.on('error', () => undefined));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function addressOf(server: TcpServer): string {
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
