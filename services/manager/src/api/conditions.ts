import { addressOf, type Endpoint, type Network, type NetworkId, type Node, type NodeId } from '@causeway/model';
import type { Condition as ConditionMessage } from '@causeway/proto/gen/causeway/v1/types.js';
import { isTooLarge, leastFor, roomOfNode, tooSmallFor } from '../admin/mtu.ts';
import type { Condition, HostState, Progress, SmallHost } from '../conditions/condition.ts';
import { type EndpointFacts, endpointConditions } from '../conditions/endpoint.ts';
import { networkConditions } from '../conditions/network.ts';
import { type NetworkOnHost, nodeConditions } from '../conditions/node.ts';
import type { AppliedSummary } from '../dispatcher/applied.ts';
import { printClaim } from '../store/claim.ts';
import type { Versioned } from '../store/view.ts';
import type { ApiContext } from './modules.ts';

/*
 * What is known here of an object, put before the functions that judge it.
 */

export function conditionsOfNetwork(context: ApiContext, network: Versioned<Network>): ConditionMessage[] {
  const { view, dispatcher, pools } = context.modules;
  const { value } = network;
  const progress = context.leads ? dispatcher.progressOf(value.id) : undefined;
  const hosts = dispatcher.hostsOf(value.id);
  const claim = view.vnis.get(value.vni)?.claim;
  const conditions = networkConditions({
    network,
    holdsVni: claim?.kind === 'network' && claim.network === value.id,
    subnets: pools(value).map(({ prefix, use: { size, used, reserved, cooling } }) => {
      return { prefix, size, free: size - used - reserved - cooling };
    }),
    exceedsUnderlay: isTooLarge(view, value),
    small: value.mtu.kind === 'fixed' ? tooSmallFor(view, value).map(toSmallHost) : [],
    ...(progress !== undefined && {
      hosts: {
        progress: progressMade(context, progress, progress.revision),
        states: hosts.map((node) => stateOf(context, node, value.id)),
      },
    }),
  });
  return conditions.map(toMessage);
}

export function conditionsOfEndpoint(context: ApiContext, endpoint: Versioned<Endpoint>): ConditionMessage[] {
  const { view, dispatcher } = context.modules;
  const { id, network, node, addresses } = endpoint.value;
  const claims = view.addressesOf(network);
  const unclaimed = addresses.map(addressOf).flatMap((address) => {
    const claim = claims.get(address)?.claim;
    if (claim?.kind === 'endpoint' && claim.endpoint === id) return [];
    return [{ address, holder: claim === undefined ? 'nobody' : printClaim(claim) }];
  });
  const conditions = endpointConditions({
    endpoint,
    unclaimed,
    ...tooLargeFor(context, endpoint.value),
    ...(context.leads && {
      hosts: {
        progress: progressMade(context, dispatcher.appliedOf(endpoint), endpoint.revision),
        own: view.nodes.has(node) ? stateOf(context, node, network) : undefined,
      },
    }),
  });
  return conditions.map(toMessage);
}

/** Its network, where that sends more than its host's underlay carries. */
function tooLargeFor(context: ApiContext, { network: id, node: on }: Endpoint): Pick<EndpointFacts, 'tooLarge'> {
  const { view } = context.modules;
  const network = view.networks.get(id);
  const node = view.nodes.get(on);
  if (network === undefined || node === undefined) return {};
  const room = roomOfNode(node.value);
  if (network.value.mtu.bytes <= Math.max(room, leastFor(network.value.subnets))) return {};
  return { tooLarge: { network, host: toSmallHost({ node, room }) } };
}

function toSmallHost({ node, room }: { readonly node: Versioned<Node>; readonly room: number }): SmallHost {
  return { name: node.value.name, room, revision: node.revision };
}

export function conditionsOfNode(context: ApiContext, node: Versioned<Node>): ConditionMessage[] {
  const { id } = node.value;
  const networks = [...context.modules.view.networksOn(id)].flatMap((network) => onHost(context, node.value, network));
  const state = context.leads ? { state: stateOf(context, id) } : {};
  return nodeConditions({ node, networks, ...state }).map(toMessage);
}

function onHost(context: ApiContext, node: Node, id: NetworkId): NetworkOnHost[] {
  const { view, dispatcher } = context.modules;
  const network = view.networks.get(id)?.value;
  const held = dispatcher.heldBy(node.id, id);
  if (network === undefined || held === undefined) return [];
  const { name, mtu, subnets } = network;
  const exceedsUnderlay = mtu.bytes > Math.max(roomOfNode(node), leastFor(subnets));
  return [{ name, ...held, exceedsUnderlay }];
}

/** Its drift is that in the network, or all of it. */
function stateOf(context: ApiContext, node: NodeId, network?: NetworkId): HostState {
  const { view, dispatcher } = context.modules;
  const { state: session, since } = dispatcher.sessionOf(node);
  const { drift: all, driftSince, networkDrift } = dispatcher.factsOf(node);
  const drift = network === undefined ? all : (networkDrift[network] ?? 0);
  return { name: view.nodes.get(node)?.value.name ?? node, session, since, drift, driftSince };
}

function progressMade(context: ApiContext, { have, waiting, unreachable }: AppliedSummary, revision: bigint): Progress {
  const states = (nodes: readonly NodeId[]): HostState[] => nodes.map((node) => stateOf(context, node));
  return { revision, have, waiting: states(waiting), unreachable: states(unreachable) };
}

function toMessage(condition: Condition): ConditionMessage {
  return { ...condition };
}
