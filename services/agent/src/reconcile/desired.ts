import { buildNetwork, buildPeers, newNamespace, type Peers, type State } from '@causeway/datapath';
import type { EndpointId, EndpointRow, Ip, Network, NodeId } from '@causeway/model';
import { isGranted, type Sandbox } from '../disk/sandbox.ts';

/** What of a host is in the kernel's state of every network. */
export interface Host {
  readonly node: NodeId;
  /** Where this host receives VXLAN. */
  readonly vtep: Ip;
  /** UDP. */
  readonly vxlanPort: number;
}

/** What is wanted of one network, or of a part of its endpoints. */
export interface Wanted {
  readonly network: Network;
  readonly rows: ReadonlyMap<EndpointId, EndpointRow>;
  /** Those of one container by one path. */
  readonly sandboxes: readonly Sandbox[];
}

/**
 * The kernel's state that is wanted. A sandbox is enough for its own endpoint: the table may be older than it.
 * `peers`: of the rows, unless they are kept beside them.
 */
export function desiredState(host: Host, wanted: Wanted, peers?: Peers): State {
  const { node, vtep } = host;
  const { network, rows } = wanted;
  const sandboxes = wanted.sandboxes.filter(isGranted);
  const own = sandboxes.map(({ endpoint }) => rows.get(endpoint.id) ?? { ...endpoint, node, vtep });
  const input = {
    ...host,
    network,
    rows: [...own, ...(peers === undefined ? rows.values() : [])],
    sandboxes: sandboxes.map(({ endpoint, netns, ifname, gateway }) => ({
      endpoint: endpoint.id,
      netns,
      ifname,
      gateway,
    })),
  };
  return buildNetwork(input, peers);
}

/** One endpoint's part of the intent, as it was. */
export interface Former {
  readonly row: EndpointRow | undefined;
  readonly sandbox: Sandbox | undefined;
}

/**
 * The states before and after a change of a few endpoints, reduced to these and what every endpoint shares. Planning
 * from the one to the other costs what has changed, not what the network holds; it is right as long as the kernel is.
 */
export function stateChange(
  host: Host,
  changes: ReadonlyMap<EndpointId, Former>,
  wanted: Wanted,
): { before: State; after: State } {
  const formerSandboxes = [...changes.values()].flatMap(({ sandbox }) => sandbox ?? []);
  const current = wanted.sandboxes.filter(({ endpoint }) => changes.has(endpoint.id));
  const touched = new Set([...formerSandboxes, ...current].map(({ netns }) => netns));
  if (touched.size === 0) return peersChange(host, changes, wanted);
  // Endpoints of one container share its routes, so they are seen together.
  const mates = wanted.sandboxes.filter(({ endpoint, netns }) => touched.has(netns) && !changes.has(endpoint.id));
  const ids = [...changes.keys(), ...mates.map(({ endpoint }) => endpoint.id)];
  const after = desiredState(host, {
    ...wanted,
    rows: pick(ids, (id) => wanted.rows.get(id)),
    sandboxes: [...mates, ...current],
  });
  const before = desiredState(host, {
    ...wanted,
    rows: pick(ids, (id) => (changes.has(id) ? changes.get(id)?.row : wanted.rows.get(id))),
    sandboxes: [...mates, ...formerSandboxes],
  });
  return { before: alike(before, after), after };
}

/** Of endpoints that have no container here, before or after: entries alone. */
function peersChange(
  { node }: Host,
  changes: ReadonlyMap<EndpointId, Former>,
  { network, rows }: Wanted,
): { before: State; after: State } {
  const ids = [...changes.keys()];
  const peers = (get: (id: EndpointId) => EndpointRow | undefined): State =>
    buildPeers({ network, node, rows: pick(ids, get).values() });
  return { before: peers((id) => changes.get(id)?.row), after: peers((id) => rows.get(id)) };
}

/** Containers are there before and after an endpoint of theirs; of one that is not wanted any more nothing is to be done. */
function alike(before: State, after: State): State {
  return new Map([...after.keys()].map((netns) => [netns, before.get(netns) ?? newNamespace()]));
}

function pick(
  ids: readonly EndpointId[],
  get: (id: EndpointId) => EndpointRow | undefined,
): Map<EndpointId, EndpointRow> {
  const rows = new Map<EndpointId, EndpointRow>();
  for (const id of ids) {
    const row = get(id);
    if (row !== undefined) rows.set(id, row);
  }
  return rows;
}
