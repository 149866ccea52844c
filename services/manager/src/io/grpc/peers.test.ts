import { clusterServiceDefinition } from '@causeway/proto/gen/causeway/v1/cluster_service.grpc-server.js';
import type { ReportRefusalsRequest } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import { serveUnary } from '@causeway/proto/io';
import { MemoryLog } from '@causeway/runtime/testing';
import { Server } from '@grpc/grpc-js';
import { afterEach, describe, test } from 'vitest';
import type { Peer } from '../../cluster/peers.ts';
import { peersContract } from '../../cluster/peers-contract.ts';
import { testCluster } from '../../testing/members.ts';
import { GrpcPeers } from './peers.ts';

const serving = new Map<string, () => void>();

afterEach(() => {
  for (const stop of serving.values()) stop();
  serving.clear();
});

async function serve(peer: Peer): Promise<string> {
  const server = new Server();
  const { describeManager, reportRefusals } = clusterServiceDefinition;
  server.addService(
    { describeManager, reportRefusals },
    {
      describeManager: serveUnary((request) => peer.describeManager(request), new MemoryLog()),
      reportRefusals: serveUnary((request: ReportRefusalsRequest) => peer.reportRefusals(request), new MemoryLog()),
    },
  );
  const { address, stop } = await testCluster.serve(server);
  serving.set(address, stop);
  return address;
}

describe('GrpcPeers holds the contract of peers', () => {
  test.each(peersContract)('$name', ({ run }) =>
    run({
      peers: new GrpcPeers({ credentials: testCluster.client('manager', 'm2') }),
      serve,
      leave: async (address) => serving.get(address)?.(),
    }),
  );
});
