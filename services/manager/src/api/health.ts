import type { Node, NodeId } from '@causeway/model';
import type { Hosts, UnreadyHost } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import { conditionsOfNetwork } from './conditions.ts';
import type { ApiContext } from './modules.ts';

/** What the leader hears from the hosts, counted; every host that is not well is named. */
export function hostsOf(context: ApiContext): Hosts {
  const { view, dispatcher } = context.modules;
  const nodes = [...view.nodes.values()].map(({ value }) => value);
  const ready = nodes.filter(({ id }) => dispatcher.isReady(id));
  const facts = ready.map(({ id }) => dispatcher.factsOf(id));
  return {
    ready: ready.length,
    repairs: facts.reduce((sum, { repairs }) => sum + repairs, 0n),
    drift: facts.reduce((sum, { drift }) => sum + drift, 0),
    unready: unready(
      context,
      nodes.filter(({ id }) => !dispatcher.isReady(id)),
    ),
    degradedNetworks: degradedNetworks(context),
    degradedEndpoints: nodes.reduce((sum, { id }) => sum + degradedEndpoints(context, id), 0),
  };
}

function unready({ modules: { dispatcher } }: ApiContext, nodes: readonly Node[]): UnreadyHost[] {
  const hosts = nodes.map(({ id, name }): UnreadyHost => {
    const { since, lastWords } = dispatcher.absenceOf(id);
    const { state } = dispatcher.sessionOf(id);
    return { name, session: state, sinceMs: BigInt(Math.trunc(since)), lastWords };
  });
  return hosts.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function degradedNetworks(context: ApiContext): number {
  const isDegraded = ({ type, status }: { type: string; status: string }): boolean =>
    type === 'Degraded' && status === 'true';
  const networks = [...context.modules.view.networks.values()];
  return networks.filter((network) => conditionsOfNetwork(context, network).some(isDegraded)).length;
}

/** As `endpointConditions` judges each, by the host: a look at each endpoint's progress would be one at every host of its network. */
function degradedEndpoints({ modules: { view, dispatcher } }: ApiContext, node: NodeId): number {
  const endpoints = view.endpointsOn(node);
  if (dispatcher.sessionOf(node).state === 'none') return endpoints.size;
  const { drift, networkDrift } = dispatcher.factsOf(node);
  if (drift === 0) return 0;
  let count = 0;
  for (const id of endpoints) {
    const network = view.endpoint(id)?.value.network;
    if (network !== undefined && (networkDrift[network] ?? 0) > 0) count++;
  }
  return count;
}
