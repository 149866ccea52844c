import { isCausewayError, type NodeId, parseReference, parseRequestId, unwrap } from '@causeway/model';
import { nodeToMessage } from '@causeway/proto';
import type {
  DrainNodeRequest,
  DrainNodeResponse,
  GetNodeRequest,
  GetNodeResponse,
  ListNodesRequest,
  ListNodesResponse,
  RemoveNodeRequest,
  RemoveNodeResponse,
  UndrainNodeRequest,
  UndrainNodeResponse,
  WatchNodesRequest,
  WatchNodesResponse,
} from '@causeway/proto/gen/causeway/v1/node_service.js';
import type { CallContext } from '../call/context.ts';
import { drainNode } from '../plan/drain-node.ts';
import { beginRemoval, type Emptied, removeNode } from '../plan/remove-node.ts';
import { type ItemOf, records } from '../store/records/index.ts';
import { parseBoolean } from '../store/records/listed.ts';
import { emptyHost } from './empty-host.ts';
import { type ListOf, listPage } from './list.ts';
import { nodeMessage } from './messages.ts';
import type { ApiContext } from './modules.ts';
import { watchList } from './watch.ts';

const nothingReleased: Emptied = { released: 0, interfacesRemoved: true };

export class NodesApi {
  readonly #context: ApiContext;

  constructor(context: ApiContext) {
    this.#context = context;
  }

  async getNode(request: GetNodeRequest, call: CallContext): Promise<GetNodeResponse> {
    this.#context.leadingOrWithoutLeader(call);
    const reference = unwrap(parseReference(request.node, 'node'));
    return { node: nodeMessage(this.#context, this.#context.modules.view.findNode(reference)) };
  }

  async listNodes(request: ListNodesRequest, call: CallContext): Promise<ListNodesResponse> {
    this.#context.leadingOrWithoutLeader(call);
    const { items, ...page } = await listPage(this.#context, request, this.#list, call);
    return { nodes: items.map((node) => nodeMessage(this.#context, node)), ...page };
  }

  async *watchNodes(request: WatchNodesRequest, { signal }: CallContext): AsyncGenerator<WatchNodesResponse, void> {
    for await (const event of watchList(this.#context, request, this.#list, signal)) {
      const { type, revision, more, epoch } = event;
      const node = type === 'BOOKMARK' ? {} : { node: nodeToMessage(event.item.value, event.item.revision) };
      yield { type, ...node, revision, more, epoch };
    }
  }

  drainNode(request: DrainNodeRequest, call: CallContext): Promise<DrainNodeResponse> {
    return this.#setDrained(request, true, call);
  }

  undrainNode(request: UndrainNodeRequest, call: CallContext): Promise<UndrainNodeResponse> {
    return this.#setDrained(request, false, call);
  }

  async #setDrained(request: DrainNodeRequest, drained: boolean, call: CallContext): Promise<DrainNodeResponse> {
    this.#context.leading();
    const id = unwrap(parseRequestId(request.requestId));
    const node = unwrap(parseReference(request.node, 'node'));
    const { reply: value, revision } = await this.#context.modules.writer.write(id, drainNode({ node, drained }), call);
    return { node: nodeMessage(this.#context, { value, revision }) };
  }

  /**
   * First tries to remove the host: if an earlier try of this call has done that, the answer is its outcome, also if there is
   * a new host of that name by now.
   */
  async removeNode(request: RemoveNodeRequest, call: CallContext): Promise<RemoveNodeResponse> {
    this.#context.leading();
    this.#context.recovered();
    const id = unwrap(parseRequestId(request.requestId));
    const spec = { node: unwrap(parseReference(request.node, 'node')), force: request.force };
    const { writer, feed } = this.#context.modules;
    const facts = { isConnected: (node: NodeId) => feed.sessionOf(node).state !== 'none', by: call.actor };
    const remove = (emptied: Emptied) => writer.write(id, removeNode(spec, { ...facts, emptied }), call);
    const { reply, revision } = await remove(nothingReleased).catch(async (error: unknown) => {
      if (!isCausewayError(error, 'busy')) throw error;
      const { actor, peer, method } = call;
      const change = { actor, peer, method, cause: id };
      const { reply: node } = await writer.apply(beginRemoval(spec, facts), change);
      if (node === undefined) throw error;
      return await remove(await emptyHost(node.id, this.#context.modules, change, call));
    });
    return { revision, ...reply };
  }

  get #list(): ListOf<ItemOf<'node'>> {
    const { feed, caches } = this.#context.modules;
    const values = ({ value }: ItemOf<'node'>): readonly string[] => [`${feed.isReady(value.id)}`];
    const ready = { values, parse: parseBoolean, transient: true } as const;
    return { cache: caches.of('node'), fields: { ...records.node.fields, ready } };
  }
}
