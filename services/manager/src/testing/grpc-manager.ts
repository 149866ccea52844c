import { type Duration, seconds } from '@causeway/runtime';
import { cryptoRandom, systemClock } from '@causeway/runtime/io';
import { MemoryLog } from '@causeway/runtime/testing';
import { GrpcPeers } from '../io/grpc/peers.ts';
import { GrpcServer } from '../io/grpc/server.ts';
import { createManager } from '../manager.ts';
import { defaultPrefix } from '../store/keys.ts';
import { MemoryStore } from '../store/memory.ts';
import { MemoryBackend } from '../store/memory-backend.ts';
import { operator, serverIdentity } from './members.ts';

export interface GrpcManager {
  readonly port: number;
  readonly address: string;
  readonly backend: MemoryBackend;
  readonly log: MemoryLog;
  stop(): Promise<void>;
}

/** One leading manager on a port of this host, on a store in memory. */
export async function startGrpcManager(options: { readonly idleAfter?: Duration } = {}): Promise<GrpcManager> {
  const log = new MemoryLog();
  const settings = { name: 'm1', advertise: '127.0.0.1:1', leaseTtl: seconds(3), prefix: defaultPrefix };
  const backend = new MemoryBackend({ clock: systemClock });
  const store = new MemoryStore({ clock: systemClock, backend });
  const peers = new GrpcPeers({ credentials: operator });
  const modules = { store, peers, clock: systemClock, random: cryptoRandom, log };
  const manager = createManager(modules, settings);
  const parts = { manager, ...serverIdentity('m1'), clock: systemClock, log };
  const server = new GrpcServer(parts, { ...settings, ...options, listen: '127.0.0.1:0' });
  await server.start();
  const leads = new Promise((resolve) => manager.onLeadership(resolve));
  await manager.start();
  await leads;
  const stop = async (): Promise<void> => {
    server.drain();
    await manager.stop();
    await server.stop();
    backend.close();
  };
  return { port: server.port, address: `127.0.0.1:${server.port}`, backend, log, stop };
}
