import type {
  GetNodeRequest,
  GetNodeResponse,
  ListNodesRequest,
  ListNodesResponse,
} from '@causeway/proto/gen/causeway/v1/node_service.js';
import { byName, nodeMessage } from './messages.ts';
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

  async listNodes(_request: ListNodesRequest): Promise<ListNodesResponse> {
    this.#context.leadingOrNobody();
    const { view } = this.#context.modules;
    const nodes = Array.from(view.nodes.values(), (node) => nodeMessage(this.#context, node));
    return { nodes: nodes.sort(byName), revision: view.revision, nextPageToken: '' };
  }
}
