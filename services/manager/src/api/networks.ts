import {
  isCausewayError,
  type Network,
  type NetworkId,
  parseReference,
  parseRequestId,
  type RequestId,
  unwrap,
} from '@causeway/model';
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
  UpdateNetworkRequest,
  UpdateNetworkResponse,
  WatchNetworksRequest,
  WatchNetworksResponse,
} from '@causeway/proto/gen/causeway/v1/network_service.js';
import type { Network as NetworkMessage } from '@causeway/proto/gen/causeway/v1/types.js';
import type { CallContext } from '../call/context.ts';
import { createNetwork } from '../plan/create-network.ts';
import { deleteNetwork } from '../plan/delete-network.ts';
import { asDryRun, type Request } from '../plan/intent.ts';
import { readCreateNetwork, readDeleteNetwork, readUpdateNetwork } from '../plan/network-requests.ts';
import { updateNetwork } from '../plan/update-network.ts';
import { type ItemOf, records } from '../store/records/index.ts';
import { evictNetwork } from './evict-network.ts';
import { type ListOf, listPage } from './list.ts';
import { networkMessage } from './messages.ts';
import type { ApiContext } from './modules.ts';
import { watchList } from './watch.ts';

/** Rounds of releasing all endpoints of a network. When hosts attach faster than that, the manager gives up. */
const mostRounds = 5;

export class NetworksApi {
  readonly #context: ApiContext;

  constructor(context: ApiContext) {
    this.#context = context;
  }

  async createNetwork(request: CreateNetworkRequest, call: CallContext): Promise<CreateNetworkResponse> {
    this.#context.leading();
    this.#context.recovered();
    const id = unwrap(parseRequestId(request.requestId));
    const intent = createNetwork(readCreateNetwork(request), this.#context.settings.defaultPools);
    return { network: await this.#write(id, intent, request.dryRun, call) };
  }

  async getNetwork(request: GetNetworkRequest, call: CallContext): Promise<GetNetworkResponse> {
    this.#context.leadingOrWithoutLeader(call);
    const reference = unwrap(parseReference(request.network, 'network'));
    await this.#context.atLeast(request.atLeast, call);
    return { network: networkMessage(this.#context, this.#context.modules.view.findNetwork(reference)) };
  }

  async listNetworks(request: ListNetworksRequest, call: CallContext): Promise<ListNetworksResponse> {
    this.#context.leadingOrWithoutLeader(call);
    const { items, ...page } = await listPage(this.#context, request, this.#list, call);
    return { networks: items.map((network) => networkMessage(this.#context, network)), ...page };
  }

  async *watchNetworks(
    request: WatchNetworksRequest,
    { signal }: CallContext,
  ): AsyncGenerator<WatchNetworksResponse, void> {
    for await (const event of watchList(this.#context, request, this.#list, signal)) {
      const { type, revision, more, epoch } = event;
      const network = type === 'BOOKMARK' ? {} : { network: networkToMessage(event.item.value, event.item.revision) };
      yield { type, ...network, revision, more, epoch };
    }
  }

  get #list(): ListOf<ItemOf<'network'>> {
    return { cache: this.#context.modules.caches.of('network'), fields: records.network.fields };
  }

  async updateNetwork(request: UpdateNetworkRequest, call: CallContext): Promise<UpdateNetworkResponse> {
    this.#context.leading();
    this.#context.recovered();
    const id = unwrap(parseRequestId(request.requestId));
    const update = updateNetwork(readUpdateNetwork(request), {
      cannotEncrypt: (network) => this.#cannotEncrypt(network),
    });
    return { network: await this.#write(id, update, request.dryRun, call) };
  }

  async deleteNetwork(request: DeleteNetworkRequest, call: CallContext): Promise<DeleteNetworkResponse> {
    this.#context.leading();
    this.#context.recovered();
    const id = unwrap(parseRequestId(request.requestId));
    const intent = deleteNetwork(readDeleteNetwork(request));
    const { writer, view } = this.#context.modules;
    const { actor, peer, method, signal } = call;
    for (let round = 1; ; round++) {
      try {
        const { revision } = await writer.write(id, request.dryRun ? asDryRun(intent) : intent, call);
        return { revision: request.dryRun ? 0n : revision };
      } catch (error) {
        if (!isBeingEmptied(error)) throw error;
        if (request.dryRun) return { revision: 0n };
        if (round > mostRounds) throw error;
      }
      await evictNetwork(request.network, { view, writer }, { actor, peer, method, signal, cause: id });
    }
  }

  #cannotEncrypt(network: NetworkId): { readonly name: string; readonly why: string }[] {
    const { view, feed } = this.#context.modules;
    return feed.hostsOf(network).flatMap((id) => {
      const why = feed.factsOf(id).health?.cannotEncrypt ?? '';
      return why === '' ? [] : [{ name: view.nodes.get(id)?.value.name ?? id, why }];
    });
  }

  /** A dry run returns revision 0: the network was not written. */
  async #write(id: RequestId, intent: Request<Network>, dryRun: boolean, call: CallContext): Promise<NetworkMessage> {
    const { writer } = this.#context.modules;
    const { reply, revision } = await writer.write(id, dryRun ? asDryRun(intent) : intent, call);
    return networkToMessage(reply, dryRun ? 0n : revision);
  }
}

/** Whether a deletion with force was refused because the network still has endpoints. */
function isBeingEmptied(error: unknown): boolean {
  return isCausewayError(error, 'busy') && error.data['endpoints'] !== undefined;
}
