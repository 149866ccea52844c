import { buildNetwork, buildPeers, newNamespace, type Peers, type State } from '@causeway/datapath';
import type { EndpointId, EndpointRow, Ip, Network, NodeId } from '@causeway/model';
import { isGranted, type Sandbox } from '../disk/sandbox.ts';

/** The properties of a host that the kernel state of every network contains. */
export interface Host {
  readonly node: NodeId;
  /** Address at which this host receives VXLAN. */
  readonly vtep: Ip;
  /** UDP port. */
  readonly vxlanPort: number;
}

/** What is desired of one network, or of some of its endpoints. */
export interface Desired {
  readonly network: Network;
  readonly rows: ReadonlyMap<string, EndpointRow>;
  /** All sandboxes of one container have the same path. */
  readonly sandboxes: readonly Sandbox[];
}

/**
 * The kernel state that is desired. A sandbox is enough for its own endpoint, because the table may be older than the
 * sandbox.
 * `peers`: the peers of the rows; absent: they are built from `desired.rows`.
 */
export function desiredState(host: Host, desired: Desired, peers?: Peers): State {
  const { node, vtep } = host;
  const { network, rows } = desired;
  const sandboxes = desired.sandboxes.filter(isGranted);
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

/** One endpoint's part of the intent before a change. */
export interface Former {
  readonly row: EndpointRow | undefined;
  readonly sandbox: Sandbox | undefined;
}

/**
 * The states before and after a change of a few endpoints, reduced to these endpoints and to what all endpoints share.
 * The cost of a plan from one state to the other depends on the size of the change, not of the network. The plan is right
 * as long as the kernel holds `before`.
 */
export function stateChange(
  host: Host,
  changes: ReadonlyMap<EndpointId, Former>,
  desired: Desired,
): { before: State; after: State } {
  const formerSandboxes = [...changes.values()].flatMap(({ sandbox }) => sandbox ?? []);
  const current = desired.sandboxes.filter(({ endpoint }) => changes.has(endpoint.id));
  const touched = new Set([...formerSandboxes, ...current].map(({ netns }) => netns));
  if (touched.size === 0) return peersChange(host, changes, desired);
  // Endpoints of one container share its routes, so they are compared together.
  const mates = desired.sandboxes.filter(({ endpoint, netns }) => touched.has(netns) && !changes.has(endpoint.id));
  const ids = [...changes.keys(), ...mates.map(({ endpoint }) => endpoint.id)];
  const after = desiredState(host, {
    ...desired,
    rows: pick(ids, (id) => desired.rows.get(id)),
    sandboxes: [...mates, ...current],
  });
  const before = desiredState(host, {
    ...desired,
    rows: pick(ids, (id) => (changes.has(id) ? changes.get(id)?.row : desired.rows.get(id))),
    sandboxes: [...mates, ...formerSandboxes],
  });
  return { before: alike(before, after), after };
}

/** The change of endpoints that have no container on this host, before or after: only entries differ. */
function peersChange(
  { node }: Host,
  changes: ReadonlyMap<EndpointId, Former>,
  { network, rows }: Desired,
): { before: State; after: State } {
  const ids = [...changes.keys()];
  const peers = (get: (id: EndpointId) => EndpointRow | undefined): State =>
    buildPeers({ network, node, rows: pick(ids, get).values() });
  return { before: peers((id) => changes.get(id)?.row), after: peers((id) => rows.get(id)) };
}

/**
 * A container's namespace exists before and after the change, so it is in both states. Nothing is done in a namespace
 * that is no longer desired.
 */
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
