import { ClientCredentials, LiveCredential } from '@causeway/identity/io';
import { refusalIn } from '@causeway/proto';
import { ClusterServiceClient } from '@causeway/proto/gen/causeway/v1/cluster_service.grpc-client.js';
import { NodeServiceClient } from '@causeway/proto/gen/causeway/v1/node_service.grpc-client.js';
import { callUnary, type UnaryMethod } from '@causeway/proto/io';
import type { Clock } from '@causeway/runtime';
import type { Limits } from '../door.ts';
import type { OpenExit } from '../leave.ts';

/** Connections of a member, by its own certificate. */
export function grpcExit(clock: Pick<Clock, 'wall'>): OpenExit {
  return (address, credential) => {
    const credentials = ClientCredentials.toManagers(new LiveCredential(credential), () => clock.wall());
    const nodes = new NodeServiceClient(address, credentials);
    const cluster = new ClusterServiceClient(address, credentials);
    const call = async <Request, Response>(
      method: UnaryMethod<Request, Response>,
      request: Request,
      limits: Limits,
    ): Promise<Response> => {
      try {
        return await callUnary(method, request, limits);
      } catch (error) {
        throw refusalIn(error) ?? error;
      }
    };
    return {
      removeNode: (request, limits) => call(nodes.removeNode.bind(nodes), request, limits),
      removeManager: (request, limits) => call(cluster.removeManager.bind(cluster), request, limits),
      close: () => {
        nodes.close();
        cluster.close();
      },
    };
  };
}
