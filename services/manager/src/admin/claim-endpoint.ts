import {
  addressOf,
  CausewayError,
  type Endpoint,
  type EndpointId,
  familyOf,
  type Ip,
  type Name,
  type Network,
  type NodeId,
} from '@causeway/model';
import { randomId } from '@causeway/runtime';
import type { Take } from '../allocator/allocator.ts';
import { encodeText, endpointCodec, endpointFromJson, endpointToJson } from '../store/codec.ts';
import { chooseAddresses } from './addresses.ts';
import type { Planning, Proposal, Request } from './intent.ts';
import { checkNotAnId } from './names.ts';

export interface ClaimEndpoint {
  /** Name or id. */
  readonly network: string;
  readonly name: Name;
  /** The host that will have it. */
  readonly node: NodeId;
  /** Asked-for addresses, at most one of each family; the rest is given. */
  readonly addresses: readonly Ip[];
}

/** @throws from its plan: network-unknown, node-unknown, name-invalid, name-taken, and what choosing addresses throws */
export function claimEndpoint(request: ClaimEndpoint): Request<Endpoint> {
  return {
    kind: 'endpoint.claim',
    content: JSON.stringify(request),
    outcome: { toJson: endpointToJson, fromJson: endpointFromJson },
    plan: (planning) => planClaimEndpoint(request, planning),
  };
}

export function planClaimEndpoint(request: ClaimEndpoint, planning: Planning): Proposal<Endpoint> {
  const { view, keys, random } = planning;
  const { value: network, revision } = view.findNetwork(request.network);
  const node = view.findNode(request.node);
  checkNotAnId(request.name, 'name');
  const namesake = view.endpointNamed(network.id, request.name)?.value;
  if (namesake !== undefined) throw nameTaken(namesake, network, planning);
  const { addresses, mac } = chooseAddresses(network, request.addresses, planning);
  const id = randomId(random) as EndpointId;
  const endpoint: Endpoint = { id, network: network.id, name: request.name, node: request.node, addresses, mac };
  const claims = endpointClaims(endpoint, planning);
  return {
    compares: [
      { kind: 'unchanged', key: keys.network(network.id), modRevision: revision },
      { kind: 'unchanged', key: keys.node(request.node), modRevision: node.revision },
      ...claims.map((key) => ({ kind: 'absent', key }) as const),
    ],
    writes: [
      { kind: 'put', key: keys.endpoint(network.id, id), value: endpointCodec.encode(endpoint) },
      ...claims.map((key) => ({ kind: 'put', key, value: encodeText(id) }) as const),
    ],
    takes: takesOf(endpoint),
    reply: endpoint,
  };
}

/** Keys that only this endpoint may have: its name, its addresses, and its Ethernet address where that needs one. */
export function endpointClaims(endpoint: Endpoint, { keys }: Planning): readonly string[] {
  return [
    keys.endpointName(endpoint.network, endpoint.name),
    ...endpoint.addresses.map((address) => keys.address(endpoint.network, addressOf(address))),
    ...(claimsMac(endpoint) ? [keys.mac(endpoint.network, endpoint.mac)] : []),
  ];
}

function takesOf(endpoint: Endpoint): readonly Take[] {
  const addresses = endpoint.addresses.map((address): Take => {
    return { kind: 'addr', network: endpoint.network, ip: addressOf(address) };
  });
  return claimsMac(endpoint)
    ? [...addresses, { kind: 'mac', network: endpoint.network, mac: endpoint.mac }]
    : addresses;
}

/** Without an IPv4 address its Ethernet address comes from part of an IPv6 address. */
function claimsMac({ addresses }: Endpoint): boolean {
  return addresses.every((address) => familyOf(address) === 6);
}

function nameTaken(namesake: Endpoint, network: Network, { view }: Planning): CausewayError {
  const host = view.nodes.get(namesake.node)?.value.name ?? namesake.node;
  const message = `name "${namesake.name}" is that of an endpoint of network "${network.name}" on ${host}: choose another, or detach that one`;
  return new CausewayError('name-taken', message, { field: 'name', value: namesake.name, endpoint: namesake.id, host });
}
