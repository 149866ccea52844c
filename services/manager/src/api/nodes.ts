import type {
  GetNodeRequest,
  GetNodeResponse,
  ListNodesRequest,
  ListNodesResponse,
} from '@causeway/proto/gen/causeway/v1/node_service.js';
import { nodeFields } from '../lists/fields.ts';
import type { Call } from './call.ts';
import { listPage } from './list.ts';
import { nodeMessage } from './messages.ts';
import type { ApiContext } from './modules.ts';

/** NodeService. */
export class NodesApi {
  readonly #context: ApiContext;

  constructor(context: ApiContext) {
    this.#context = context;
  }

  async getNode(request: GetNodeRequest): Promise<GetNodeResponse> {
    this.#context.leadingOrNobody();
    return { node: nodeMessage(this.#context, this.#context.modules.view.findNode(request.node)) };
  }

  async listNodes(request: ListNodesRequest, call: Call): Promise<ListNodesResponse> {
    this.#context.leadingOrNobody();
    const { dispatcher, catalogs } = this.#context.modules;
    const fields = nodeFields((node) => dispatcher.isReady(node));
    const { items, ...page } = await listPage(this.#context, request, { catalog: catalogs.nodes, fields }, call);
    return { nodes: items.map((node) => nodeMessage(this.#context, node)), ...page };
  }
}
