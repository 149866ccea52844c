import {
  assertNever,
  type Endpoint,
  type EndpointId,
  type EndpointRow,
  type Network,
  type NetworkId,
} from '@causeway/model';
import { peerToMessage } from '@causeway/proto';
import { Peer } from '@causeway/proto/gen/causeway/v1/session_service.js';
import type { Versioned, View, ViewChange } from '../store/view.ts';
import type { NetworkMove, NetworkTable } from './table.ts';

/** Changes only say where to look; what a table becomes is read from the view, which is already past all of them. */
export type ViewSlice = Pick<View, 'revision' | 'networks' | 'nodes' | 'endpoint' | 'endpointsOf' | 'endpointsOn'>;
export type Tables = ReadonlyMap<NetworkId, NetworkTable>;

export interface Touched {
  /** Of the newest change. */
  revision: bigint;
  readonly endpoints: Set<EndpointId>;
}

export type NetworkStep =
  /** Unknown so far, or begun anew because its past cannot be continued. */
  | {
      readonly kind: 'begin';
      readonly network: Versioned<Network>;
      readonly revision: bigint;
      readonly rows: readonly EndpointRow[];
    }
  | NetworkMove
  | { readonly kind: 'vanish'; readonly network: NetworkId };

/** The networks that these changes touch and which of their endpoints: nothing else is looked at again. */
export function touchedBy(changes: readonly ViewChange[], view: ViewSlice, tables: Tables): Map<NetworkId, Touched> {
  const touched = new Map<NetworkId, Touched>();
  const touch = (network: NetworkId, revision: bigint): Set<EndpointId> => {
    const found = touched.get(network) ?? { revision, endpoints: new Set() };
    touched.set(network, found);
    if (revision > found.revision) found.revision = revision;
    return found.endpoints;
  };
  for (const change of changes) {
    switch (change.kind) {
      case 'network':
        touch(change.id, change.revision);
        break;
      case 'endpoint':
        touch(change.network, change.revision).add(change.id);
        break;
      case 'node':
        if (change.before?.value.dataPath === change.after?.value.dataPath) break;
        for (const id of view.endpointsOn(change.id)) {
          const endpoint = view.endpoint(id);
          if (endpoint !== undefined) touch(endpoint.value.network, change.revision).add(id);
        }
        break;
      case 'leader':
      case 'cluster':
      case 'manager':
        break;
      case 'reset':
        for (const network of new Set([...view.networks.keys(), ...tables.keys()])) {
          const endpoints = touch(network, change.revision);
          for (const id of view.endpointsOf(network).keys()) endpoints.add(id);
          for (const id of tables.get(network)?.rows.keys() ?? []) endpoints.add(id);
        }
        break;
      default:
        assertNever(change);
    }
  }
  return touched;
}

/** What a touched network has to do; undefined when it is where it should be. */
export function planStep(
  id: NetworkId,
  touched: Touched,
  view: ViewSlice,
  table: NetworkTable | undefined,
): NetworkStep | undefined {
  const network = view.networks.get(id);
  if (network === undefined) return table === undefined ? undefined : { kind: 'vanish', network: id };
  if (table === undefined || touched.revision < table.revision) {
    const rows = Array.from(view.endpointsOf(id).values(), (endpoint) => rowOf(endpoint.value, view)).filter(isRow);
    return { kind: 'begin', network, revision: touched.revision, rows };
  }
  if (touched.revision === table.revision) return undefined;
  const upserts: EndpointRow[] = [];
  const removed: EndpointId[] = [];
  for (const endpointId of touched.endpoints) {
    const before = table.rows.get(endpointId);
    const endpoint = view.endpoint(endpointId)?.value;
    const after = endpoint?.network === id ? rowOf(endpoint, view) : undefined;
    if (after === undefined) {
      if (before !== undefined) removed.push(endpointId);
    } else if (before === undefined || !isSameRow(before, after)) {
      upserts.push(after);
    }
  }
  const changed = network.revision === table.network.revision ? undefined : network;
  return { kind: 'move', network: id, from: table.revision, to: touched.revision, changed, upserts, removed };
}

/** Undefined while the host's record is not known: a row without a VTEP is of no use to anybody. */
function rowOf(endpoint: Endpoint, view: ViewSlice): EndpointRow | undefined {
  const node = view.nodes.get(endpoint.node)?.value;
  if (node === undefined) return undefined;
  const { id, name, addresses, mac } = endpoint;
  return { id, name, node: node.id, addresses, mac, vtep: node.dataPath };
}

/** As agents are sent them: a field that rows come to have counts by itself. */
function isSameRow(one: EndpointRow, other: EndpointRow): boolean {
  return Peer.equals(peerToMessage(one), peerToMessage(other));
}

function isRow(row: EndpointRow | undefined): row is EndpointRow {
  return row !== undefined;
}
