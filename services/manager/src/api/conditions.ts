import { addressOf, type Endpoint, type Network, type NetworkId, type Node, type NodeId } from '@causeway/model';
import type { Condition as ConditionMessage } from '@causeway/proto/gen/causeway/v1/types.js';
import type { AppliedSummary } from '../feed/host-progress.ts';
import { stepWaitsFor } from '../plan/change-driver.ts';
import { isTooLarge, leastFor, roomOfNode, tooSmallFor } from '../plan/mtu.ts';
import type { Moment } from '../store/moment.ts';
import { printClaim } from '../store/records/claim.ts';
import type { Versioned } from '../store/view.ts';
import type { Condition, HostState, Progress, Recorded, SmallHost } from './conditions/condition.ts';
import { type EndpointFacts, endpointConditions } from './conditions/endpoint.ts';
import { networkConditions } from './conditions/network.ts';
import { type NetworkOnHost, nodeConditions } from './conditions/node.ts';
import type { ApiContext } from './modules.ts';

/* Collects what this manager knows about an object, for the functions that judge the object's conditions. */

export function conditionsOfNetwork(context: ApiContext, network: Versioned<Network>): ConditionMessage[] {
  const { view, feed, subnetsOf } = context.modules;
  const { value } = network;
  const progress = context.leads ? feed.progress.summaryNow(value.id) : undefined;
  const hosts = feed.hostsOf(value.id);
  const claim = view.vnis.get(value.vni)?.claim;
  const conditions = networkConditions({
    network: recorded(context, network),
    holdsVni: claim?.kind === 'network' && claim.network === value.id,
    subnets: subnetsOf(value).map(({ prefix, use: { size, used, reserved, cooling } }) => {
      return { prefix, size, free: size - used - reserved - cooling };
    }),
    exceedsUnderlay: isTooLarge(view, value),
    small: value.mtu.kind === 'fixed' ? tooSmallFor(view, value).map((host) => toSmallHost(context, host)) : [],
    ...(value.change !== undefined && context.leads && { waitsFor: stepWaitsFor(value, feed.stepFacts(value.id)) }),
    ...(progress !== undefined && {
      hosts: {
        progress: progressMade(context, progress, progress.revision, network),
        states: hosts.map((node) => stateOf(context, node, value.id)),
      },
    }),
  });
  return conditions.map((condition) => toMessage(context, condition));
}

export function conditionsOfEndpoint(context: ApiContext, endpoint: Versioned<Endpoint>): ConditionMessage[] {
  const { view, feed } = context.modules;
  const { id, network, node, addresses } = endpoint.value;
  const claims = view.addressesOf(network);
  const unclaimed = addresses.map(addressOf).flatMap((address) => {
    const claim = claims.get(address)?.claim;
    if (claim?.kind === 'endpoint' && claim.endpoint === id) return [];
    return [{ address, owner: claim && printClaim(claim) }];
  });
  const conditions = endpointConditions({
    endpoint: recorded(context, endpoint),
    unclaimed,
    ...tooLargeFor(context, endpoint.value),
    ...(context.leads && {
      hosts: {
        progress: progressMade(
          context,
          feed.progress.summaryOf(endpoint.value.network, endpoint.revision),
          endpoint.revision,
          endpoint,
        ),
        own: view.nodes.has(node) ? stateOf(context, node, network) : undefined,
      },
    }),
  });
  return conditions.map((condition) => toMessage(context, condition));
}

/** The endpoint's network and host, when the network's packets are larger than the host's underlay carries. */
function tooLargeFor(context: ApiContext, { network: id, node: on }: Endpoint): Pick<EndpointFacts, 'tooLarge'> {
  const { view } = context.modules;
  const network = view.networks.get(id);
  const node = view.nodes.get(on);
  if (network === undefined || node === undefined) return {};
  const room = roomOfNode(view, node.value, network.value.driver);
  if (network.value.mtu.bytes <= Math.max(room, leastFor(network.value.subnets))) return {};
  return { tooLarge: { network: recorded(context, network), host: toSmallHost(context, { node, room }) } };
}

function toSmallHost(
  context: ApiContext,
  { node, room }: { readonly node: Versioned<Node>; readonly room: number },
): SmallHost {
  const { value, written } = recorded(context, node);
  return { name: value.name, room, written };
}

export function conditionsOfNode(context: ApiContext, node: Versioned<Node>): ConditionMessage[] {
  const { id } = node.value;
  const networks = [...context.modules.view.networksOn(id)].flatMap((network) => onHost(context, node.value, network));
  const state = context.leads ? { state: stateOf(context, id) } : {};
  const conditions = nodeConditions({ node: recorded(context, node), networks, ...state });
  return conditions.map((condition) => toMessage(context, condition));
}

function onHost(context: ApiContext, node: Node, id: NetworkId): NetworkOnHost[] {
  const { view, feed } = context.modules;
  const network = view.networks.get(id);
  const held = feed.progress.heldBy(node.id, id);
  if (network === undefined || held === undefined) return [];
  const { name, mtu, driver, subnets } = network.value;
  const exceedsUnderlay = mtu.bytes > Math.max(roomOfNode(view, node, driver), leastFor(subnets));
  return [{ name, applied: held.applied, changed: momentOf(context, held.revision, network), exceedsUnderlay }];
}

/** The host's state, with its drift in the given network, or all its drift. */
function stateOf(context: ApiContext, node: NodeId, network?: NetworkId): HostState {
  const { view, feed } = context.modules;
  const { state: session, since } = feed.sessionOf(node);
  const { drift: all, driftSince, networkDrift } = feed.factsOf(node);
  const drift = network === undefined ? all : (networkDrift[network] ?? 0);
  return { name: view.nodes.get(node)?.value.name ?? node, session, since, drift, driftSince };
}

function progressMade(
  context: ApiContext,
  { have, waiting, unreachable }: AppliedSummary,
  revision: bigint,
  record: Dated,
): Progress {
  const states = (nodes: readonly NodeId[]): HostState[] => nodes.map((node) => stateOf(context, node));
  const since = momentOf(context, revision, record);
  return { revision, since, have, waiting: states(waiting), unreachable: states(unreachable) };
}

type Dated = Versioned<{ readonly createdAt?: number }>;

function recorded<Value extends Dated['value']>(context: ApiContext, record: Versioned<Value>): Recorded<Value> {
  return { value: record.value, written: momentOf(context, record.revision, record) };
}

/**
 * When the record was written. A record that never changed says itself when it was made, also when that was before this
 * manager started.
 */
function momentOf({ modules }: ApiContext, revision: bigint, { value, created }: Dated): Moment {
  const made = revision === created ? value.createdAt : undefined;
  return { revision, time: modules.revisionTimes.timeOf(revision) ?? made };
}

/** A time that is the beginning of this leader's term is known by its revision alone. */
function toMessage({ modules }: ApiContext, { since, ...condition }: Condition): ConditionMessage {
  const time = since.time ?? modules.revisionTimes.timeOf(since.revision) ?? 0;
  return { ...condition, sinceRevision: since.revision, sinceTimeMs: BigInt(Math.trunc(time)) };
}
