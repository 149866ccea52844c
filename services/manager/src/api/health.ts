import type { Node, NodeId } from '@causeway/model';
import type { Hosts, TroubledHost, UnreadyHost } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import type { HostHealth } from '@causeway/proto/gen/causeway/v1/types.js';
import { conditionsOfNetwork } from './conditions.ts';
import type { ApiContext } from './modules.ts';

/** Time, ms, for which an agent was stalled: half of the time between two heartbeats. */
const stoodStill = 1_000;

/** The hosts' reports to the leader, counted. Every host that is not healthy is named. */
export function hostsOf(context: ApiContext): Hosts {
  const { view, feed } = context.modules;
  const nodes = [...view.nodes.values()].map(({ value }) => value);
  const ready = nodes.filter(({ id }) => feed.isReady(id));
  const facts = ready.map(({ id }) => feed.factsOf(id));
  return {
    ready: ready.length,
    repairs: facts.reduce((sum, { repairs }) => sum + repairs, 0n),
    drift: facts.reduce((sum, { drift }) => sum + drift, 0),
    unready: unready(
      context,
      nodes.filter(({ id }) => !feed.isReady(id)),
    ),
    troubled: troubled(context, nodes),
    degradedNetworks: degradedNetworks(context),
    degradedEndpoints: nodes.reduce((sum, { id }) => sum + degradedEndpoints(context, id), 0),
  };
}

function unready({ modules: { feed } }: ApiContext, nodes: readonly Node[]): UnreadyHost[] {
  const hosts = nodes.map(({ id, name }): UnreadyHost => {
    const { since, reason } = feed.absenceOf(id);
    const { state } = feed.sessionOf(id);
    return { name, session: state, sinceMs: BigInt(Math.trunc(since)), reason };
  });
  return hosts.sort(byName);
}

/** Hosts with trouble. Hosts without a session are left out: their last report may be old. */
function troubled({ modules: { feed } }: ApiContext, nodes: readonly Node[]): TroubledHost[] {
  const hosts = nodes.flatMap(({ id, name }): TroubledHost[] => {
    const { health } = feed.factsOf(id);
    const hasSession = feed.sessionOf(id).state !== 'none';
    return hasSession && health !== undefined && isTrouble(health) ? [{ name, health }] : [];
  });
  return hosts.sort(byName);
}

function isTrouble({ loopDelayMs, eventsLost, failedOps }: HostHealth): boolean {
  return loopDelayMs >= stoodStill || eventsLost > 0n || Object.keys(failedOps).length > 0;
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}

function degradedNetworks(context: ApiContext): number {
  const isDegraded = ({ type, status }: { type: string; status: string }): boolean =>
    type === 'Degraded' && status === 'true';
  const networks = [...context.modules.view.networks.values()];
  return networks.filter((network) => conditionsOfNetwork(context, network).some(isDegraded)).length;
}

/**
 * Judged as `endpointConditions` judges each endpoint, but once for the whole host: the progress of each endpoint would
 * need a look at every host of its network.
 */
function degradedEndpoints({ modules: { view, feed } }: ApiContext, node: NodeId): number {
  const endpoints = view.endpointsOn(node);
  if (feed.sessionOf(node).state === 'none') return endpoints.size;
  const { drift, networkDrift } = feed.factsOf(node);
  if (drift === 0) return 0;
  let count = 0;
  for (const id of endpoints) {
    const network = view.endpoint(id)?.value.network;
    if (network !== undefined && (networkDrift[network] ?? 0) > 0) count++;
  }
  return count;
}
