import { assertNever } from '@causeway/model';
import { ListEndpointsRequest } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import { ListNetworksRequest } from '@causeway/proto/gen/causeway/v1/network_service.js';
import { ListNodesRequest } from '@causeway/proto/gen/causeway/v1/node_service.js';
import type { Managers } from '../clients.ts';
import type { Candidate, LiveKind } from './candidates.ts';

/** The names there are, each as it must be typed: an endpoint's with its network where the name alone is ambiguous. */
export async function liveNames(
  of: LiveKind,
  managers: Pick<Managers, 'listNetworks' | 'listEndpoints' | 'listNodes'>,
): Promise<Candidate[]> {
  switch (of) {
    case 'network': {
      const { networks } = await managers.listNetworks(ListNetworksRequest.create());
      return networks.map(({ name, subnets }) => ({
        word: name,
        help: subnets.map(({ prefix }) => prefix).join(', '),
      }));
    }
    case 'endpoint': {
      const { endpoints } = await managers.listEndpoints(ListEndpointsRequest.create());
      const uses = new Map<string, number>();
      for (const { name } of endpoints) uses.set(name, (uses.get(name) ?? 0) + 1);
      return endpoints.map(({ name, network, host }) => ({
        word: uses.get(name) === 1 ? name : `${network}/${name}`,
        help: `on ${network}, ${host}`,
      }));
    }
    case 'node': {
      const { nodes } = await managers.listNodes(ListNodesRequest.create());
      return nodes.map(({ name, dataPath }) => ({ word: name, help: dataPath }));
    }
    default:
      return assertNever(of);
  }
}
