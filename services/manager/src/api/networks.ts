import { parseRequestId, unwrap } from '@causeway/model';
import { networkToMessage } from '@causeway/proto';
import type {
  CreateNetworkRequest,
  CreateNetworkResponse,
  DeleteNetworkRequest,
  DeleteNetworkResponse,
  GetNetworkRequest,
  GetNetworkResponse,
  ListNetworksRequest,
  ListNetworksResponse,
} from '@causeway/proto/gen/causeway/v1/network_service.js';
import { createNetwork } from '../admin/create-network.ts';
import { deleteNetwork } from '../admin/delete-network.ts';
import { rehearsal } from '../admin/intent.ts';
import { readCreateNetwork, readDeleteNetwork } from '../admin/network-requests.ts';
import type { Call } from './call.ts';
import { byName } from './messages.ts';
import type { ApiContext } from './modules.ts';

/** NetworkService. Reads are answered by every manager, writes by the leader. */
export class NetworksApi {
  readonly #context: ApiContext;

  constructor(context: ApiContext) {
    this.#context = context;
  }

  async createNetwork(request: CreateNetworkRequest, call: Call): Promise<CreateNetworkResponse> {
    this.#context.leading();
    const id = unwrap(parseRequestId(request.requestId));
    const intent = createNetwork(readCreateNetwork(request));
    const { writer } = this.#context.modules;
    if (request.dryRun) {
      const { reply } = await writer.write(id, rehearsal(intent), call.signal);
      return { network: networkToMessage(reply, 0n) };
    }
    const { reply, revision } = await writer.write(id, intent, call.signal);
    return { network: networkToMessage(reply, revision) };
  }

  async getNetwork(request: GetNetworkRequest, call: Call): Promise<GetNetworkResponse> {
    await this.#context.atLeast(request.atLeast, call);
    const { value, revision } = this.#context.modules.view.findNetwork(request.network);
    return { network: networkToMessage(value, revision) };
  }

  async listNetworks(request: ListNetworksRequest, call: Call): Promise<ListNetworksResponse> {
    await this.#context.atLeast(request.atLeast, call);
    const { view } = this.#context.modules;
    const networks = Array.from(view.networks.values(), ({ value, revision }) => networkToMessage(value, revision));
    return { networks: networks.sort(byName), revision: view.revision };
  }

  async deleteNetwork(request: DeleteNetworkRequest, call: Call): Promise<DeleteNetworkResponse> {
    this.#context.leading();
    const id = unwrap(parseRequestId(request.requestId));
    const intent = deleteNetwork(readDeleteNetwork(request));
    const { revision } = await this.#context.modules.writer.write(id, intent, call.signal);
    return { revision };
  }
}
