import { clusterServiceDefinition } from '@causeway/proto/gen/causeway/v1/cluster_service.grpc-server.js';
import { plaintext, serveUnary } from '@causeway/proto/io';
import { MemoryLog } from '@causeway/runtime/testing';
import { Server } from '@grpc/grpc-js';
import { afterEach, describe, test } from 'vitest';
import type { Peer } from '../../cluster/peers.ts';
import { peersContract } from '../../cluster/peers-contract.ts';
import { GrpcPeers } from './peers.ts';

const serving = new Map<string, Server>();

afterEach(() => {
  for (const server of serving.values()) server.forceShutdown();
  serving.clear();
});

async function serve(peer: Peer): Promise<string> {
  const server = new Server();
  const { describeManager } = clusterServiceDefinition;
  server.addService(
    { describeManager },
    {
      describeManager: serveUnary((request) => peer.describeManager(request), new MemoryLog()),
    },
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', plaintext.server(), (error, bound) => (error ? reject(error) : resolve(bound))),
  );
  const address = `127.0.0.1:${port}`;
  serving.set(address, server);
  return address;
}

describe('GrpcPeers holds the contract of peers', () => {
  test.each(peersContract)('$name', ({ run }) =>
    run({
      peers: new GrpcPeers({ credentials: plaintext }),
      serve,
      leave: async (address) => serving.get(address)?.forceShutdown(),
    }),
  );
});
