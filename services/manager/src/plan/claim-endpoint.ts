import {
  addressOf,
  CausewayError,
  checkLabels,
  type Endpoint,
  type EndpointId,
  encryptionUnavailable,
  family,
  familyOf,
  type Ip,
  type Labels,
  type Name,
  type Network,
  type Node,
  type NodeId,
  usesEsp,
} from '@causeway/model';
import { randomId } from '@causeway/runtime';
import { endpointAttached } from '../events/describe.ts';
import type { Take } from '../ipam/allocator.ts';
import { chooseAddresses, mayReturn } from '../ipam/choose-addresses.ts';
import type { Claim, Claimed } from '../store/records/claim.ts';
import { encodeText } from '../store/records/codec.ts';
import { records } from '../store/records/index.ts';
import type { Compare, Write } from '../store/store.ts';
import type { Versioned } from '../store/view.ts';
import { checkNotAnId } from './checks.ts';
import { nothingToDo, type Planning, type Proposal, type Request } from './intent.ts';
import { checkNotRemoved } from './removed-node.ts';

export interface ClaimEndpoint {
  /** Name or id. */
  readonly network: string;
  readonly name: Name;
  /** The host that will have the endpoint. */
  readonly node: NodeId;
  /** Requested addresses, at most one of each family. The manager chooses the others. */
  readonly addresses: readonly Ip[];
  /** Absent: none. */
  readonly labels?: Labels;
  /** Endpoint that the host had before a restore: claimed again with this id and exactly these addresses, or not at all. */
  readonly former?: EndpointId;
}

/** Why a host cannot encrypt, as it has said itself; empty: it can, or has not said anything. */
export type WhyNoEncryption = (host: NodeId) => string;

/**
 * @throws from its check: name-invalid, invalid-argument; from its plan: network-unknown, node-unknown, node-removed, node-drained,
 * encryption-unavailable, name-taken, endpoint-exists, and what choosing addresses throws
 */
export function claimEndpoint(request: ClaimEndpoint, whyNoEncryption: WhyNoEncryption = () => ''): Request<Endpoint> {
  return {
    kind: 'endpoint.claim',
    content: JSON.stringify(request),
    outcome: records.endpoint.codec,
    check: () => checkClaimEndpoint(request),
    plan: (planning) => planClaimEndpoint(request, whyNoEncryption, planning),
  };
}

function checkClaimEndpoint({ name, labels }: ClaimEndpoint): void {
  checkNotAnId(name, 'name');
  if (labels !== undefined) checkLabels(labels);
}

function planClaimEndpoint(
  request: ClaimEndpoint,
  whyNoEncryption: WhyNoEncryption,
  planning: Planning,
): Proposal<Endpoint> {
  const { view, keys, random, clock } = planning;
  const { labels } = request;
  const { value: network, revision } = view.findNetwork(request.network);
  checkNotRemoved(view, request.node); // it may have been removed since the call arrived
  const node = view.findNode(request.node);
  const known = request.former === undefined ? undefined : view.endpoint(request.former);
  if (known !== undefined) return planKnown(known, request, network);
  // What a host had before a restore is not new.
  if (node.value.drained === true && !(request.former !== undefined && view.recovering)) throw drained(node.value);
  const why = request.former === undefined && usesEsp(network) ? whyNoEncryption(request.node) : '';
  if (why !== '') throw encryptionUnavailable(network.name, why);
  const namesake = view.endpointNamed(network.id, request.name)?.value;
  if (namesake !== undefined) throw nameTaken(namesake, network, planning);
  const { addresses, mac } = chooseAddresses({ network, name: request.name, asked: request.addresses }, planning);
  const id = request.former ?? (randomId(random) as EndpointId);
  const endpoint: Endpoint = {
    id,
    network: network.id,
    name: request.name,
    node: request.node,
    addresses,
    mac,
    ...(labels !== undefined && { labels }),
    createdAt: Math.trunc(clock.wall()),
  };
  const name = keys.endpointName(network.id, request.name);
  // After a restore it is not known any more whether the host's addresses were requested.
  const claims = claimsOf(endpoint, request.former === undefined ? request.addresses : [], planning);
  return {
    compares: [
      { kind: 'unchanged', key: keys.network(network.id), modRevision: revision },
      { kind: 'unchanged', key: keys.node(request.node), modRevision: node.revision },
      { kind: 'absent', key: name },
      ...(request.former === undefined ? [] : [{ kind: 'absent', key: keys.endpoint(network.id, id) } as const]),
      ...claims.map(({ key, before }): Compare => {
        return before === undefined
          ? { kind: 'absent', key }
          : { kind: 'unchanged', key, modRevision: before.revision };
      }),
    ],
    writes: [
      { kind: 'put', key: keys.endpoint(network.id, id), value: records.endpoint.codec.encode(endpoint) },
      { kind: 'put', key: name, value: encodeText(id) },
      ...claims.map(({ key, claim }): Write => ({ kind: 'put', key, value: records.address.codec.encode(claim) })),
    ],
    takes: takesOf(endpoint),
    events: [endpointAttached(endpoint, view)],
    reply: endpoint,
  };
}

/** The endpoint's id has a record already. Accepts it if it is the same endpoint. */
function planKnown(
  { value: known, revision }: Versioned<Endpoint>,
  { node, name }: ClaimEndpoint,
  network: Network,
): Proposal<Endpoint> {
  if (known.node === node && known.name === name && known.network === network.id) return nothingToDo(known, revision);
  const message = `endpoint_id ${known.id} belongs to endpoint "${known.name}": it cannot be given to "${name}"`;
  throw new CausewayError('endpoint-exists', message, { field: 'endpoint_id', value: known.id });
}

interface AddressClaim {
  readonly key: string;
  readonly claim: Claim;
  /** The claim that cools under the endpoint's own name; undefined: the claim must be absent. */
  readonly before: Claimed | undefined;
}

/** Claims of the endpoint's addresses, and of its MAC address if that needs a claim. */
function claimsOf(endpoint: Endpoint, asked: readonly Ip[], { view, keys }: Planning): readonly AddressClaim[] {
  const { id, network, name, mac } = endpoint;
  const own = (before: Claimed | undefined): Claimed | undefined =>
    mayReturn(before?.claim, name) ? before : undefined;
  // An IPv6 address that is derived from a requested IPv4 address counts as requested too.
  const isAsked = (ip: Ip): boolean => asked.includes(ip) || asked.some((other) => family(other) === 4);
  const claims = endpoint.addresses.map(addressOf).map((ip): AddressClaim => {
    const claim: Claim = { kind: 'endpoint', endpoint: id, asked: isAsked(ip) };
    return { key: keys.address(network, ip), claim, before: own(view.addressesOf(network).get(ip)) };
  });
  if (!claimsMac(endpoint)) return claims;
  const claim: Claim = { kind: 'endpoint', endpoint: id, asked: false };
  return [...claims, { key: keys.mac(network, mac), claim, before: own(view.macsOf(network).get(mac)) }];
}

function takesOf(endpoint: Endpoint): readonly Take[] {
  const addresses = endpoint.addresses.map((address): Take => {
    return { kind: 'addr', network: endpoint.network, ip: addressOf(address) };
  });
  return claimsMac(endpoint)
    ? [...addresses, { kind: 'mac', network: endpoint.network, mac: endpoint.mac }]
    : addresses;
}

/** Without an IPv4 address the MAC address comes from a part of an IPv6 address, so it needs a claim of its own. */
function claimsMac({ addresses }: Endpoint): boolean {
  return addresses.every((address) => familyOf(address) === 6);
}

function drained({ name }: Node): CausewayError {
  const message = `host ${name} is drained and gets no new endpoints: attach on another host, or run causeway node undrain ${name}`;
  return new CausewayError('node-drained', message, { host: name });
}

function nameTaken(namesake: Endpoint, network: Network, { view }: Planning): CausewayError {
  const host = view.nodes.get(namesake.node)?.value.name ?? namesake.node;
  const message = `name "${namesake.name}" is taken by an endpoint of network "${network.name}" on ${host}: choose another name, or detach that endpoint`;
  return new CausewayError('name-taken', message, { field: 'name', value: namesake.name, endpoint: namesake.id, host });
}
