import type { Endpoint, Network, Node, NodeId } from '@causeway/model';
import { endpointToMessage, networkToMessage, nodeToMessage } from '@causeway/proto';
import type {
  Applied,
  Endpoint as EndpointMessage,
  Network as NetworkMessage,
  Node as NodeMessage,
} from '@causeway/proto/gen/causeway/v1/types.js';
import type { ItemOf } from '../store/records/index.ts';
import type { Versioned } from '../store/view.ts';
import { conditionsOfEndpoint, conditionsOfNetwork, conditionsOfNode } from './conditions.ts';
import type { ApiContext } from './modules.ts';

/** With its conditions. */
export function networkMessage(context: ApiContext, network: Versioned<Network>): NetworkMessage {
  return { ...networkToMessage(network.value, network.revision), conditions: conditionsOfNetwork(context, network) };
}

/** With its conditions. */
export function fullEndpointMessage(
  context: ApiContext,
  endpoint: Versioned<Endpoint>,
  names?: ItemOf<'endpoint'>['names'],
): EndpointMessage {
  return { ...endpointMessage(context, endpoint, names), conditions: conditionsOfEndpoint(context, endpoint) };
}

/** With names besides the ids. Only the leader sets `applied`, because no other manager knows it. */
export function endpointMessage(
  context: ApiContext,
  endpoint: Versioned<Endpoint>,
  names: ItemOf<'endpoint'>['names'] = namesNow(context, endpoint.value),
): EndpointMessage {
  const message = endpointToMessage(endpoint.value, names, endpoint.revision);
  return context.leads ? { ...message, applied: appliedMessage(context, endpoint) } : message;
}

/**
 * The endpoint just after its claim, without `applied`: no host has applied it yet, and to list the waiting hosts would
 * cost a look at every host for each claim.
 */
export function claimedMessage(context: ApiContext, { value, revision }: Versioned<Endpoint>): EndpointMessage {
  return endpointToMessage(value, namesNow(context, value), revision);
}

export function nodeMessage(context: ApiContext, node: Versioned<Node>): NodeMessage {
  const { view, feed } = context.modules;
  const { id } = node.value;
  const { repairs, health } = feed.factsOf(id);
  return {
    ...nodeToMessage(node.value, node.revision),
    ready: feed.isReady(id),
    endpoints: view.endpointsOn(id).size,
    networks: view.networksOn(id).size,
    repairs,
    ...(health && { health }),
    conditions: conditionsOfNode(context, node),
  };
}

function appliedMessage(context: ApiContext, endpoint: Versioned<Endpoint>): Applied {
  const { have, want, waiting, unreachable, p99Ms } = context.modules.feed.progress.summaryOf(
    endpoint.value.network,
    endpoint.revision,
  );
  const names = (nodes: readonly NodeId[]): string[] => nodes.map((node) => hostName(context, node)).sort();
  // An endpoint whose own host has no session counts as not applied there, however many other hosts know it.
  const own = unreachable.includes(endpoint.value.node) ? 1 : 0;
  return { have, want: want + own, waiting: names(waiting), unreachable: names(unreachable), p99Ms };
}

function namesNow(context: ApiContext, { network, node }: Endpoint): ItemOf<'endpoint'>['names'] {
  const { view } = context.modules;
  return { network: view.networks.get(network)?.value.name ?? '', host: hostName(context, node) };
}

function hostName(context: ApiContext, node: NodeId): string {
  return context.modules.view.nodes.get(node)?.value.name ?? node;
}
