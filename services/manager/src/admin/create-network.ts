import {
  CausewayError,
  type Mac,
  macForIp,
  type Name,
  type Network,
  type NetworkId,
  parseVni,
  type Subnet,
  unwrap,
  type Vni,
} from '@causeway/model';
import { randomId } from '@causeway/runtime';
import { encodeText, networkCodec, networkFromJson, networkToJson } from '../store/codec.ts';
import type { View } from '../store/view.ts';
import type { Planning, Proposal, Request } from './intent.ts';
import { checkLabels } from './labels.ts';
import { automaticMtu, fixedMtu } from './mtu.ts';
import { checkNotAnId } from './names.ts';
import { checkDisjoint, completeSubnets } from './subnets.ts';

/** What an address claim of a gateway says instead of an endpoint's id. */
export const gatewayHolder = 'gateway';

export interface CreateNetwork {
  readonly name: Name;
  readonly addressSpace: Name;
  /** A subnet without gateway gets its first usable address as one. */
  readonly subnets: readonly Subnet[];
  /** Absent: the lowest free one. */
  readonly vni?: number;
  /** Bytes; absent: what the hosts' underlays carry. */
  readonly mtu?: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** @throws from its plan: name-invalid, name-taken, invalid-argument, prefix-invalid, subnet-overlap, gateway-outside, address-reserved, mtu-invalid, vni-invalid, vni-taken, vni-exhausted */
export function createNetwork(request: CreateNetwork): Request<Network> {
  return {
    kind: 'network.create',
    content: JSON.stringify(request),
    lane: `space/${request.addressSpace}`,
    outcome: { toJson: networkToJson, fromJson: networkFromJson },
    plan: (planning) => planCreateNetwork(request, planning),
  };
}

export function planCreateNetwork(request: CreateNetwork, planning: Planning): Proposal<Network> {
  const { view, allocator, keys, random } = planning;
  checkNotAnId(request.name, 'name');
  checkLabels(request.labels);
  const subnets = completeSubnets(request.subnets);
  const mtu = request.mtu === undefined ? automaticMtu(view, subnets) : fixedMtu(request.mtu, subnets);
  checkNameFree(view, request.name);
  checkDisjoint(view, request.addressSpace, subnets);
  const vni = request.vni === undefined ? automaticVni(allocator.lowestFreeVni()) : askedVni(view, request.vni);
  const id = randomId(random) as NetworkId;
  const { name, addressSpace, labels } = request;
  const network: Network = { id, name, addressSpace, driver: 'overlay', internal: false, vni, mtu, subnets, labels };

  const holder = encodeText(id);
  const claims = [
    { key: keys.networkName(name), value: holder },
    { key: keys.vni(vni), value: holder },
    ...subnets.map(({ prefix }) => ({ key: keys.pool(addressSpace, prefix), value: holder })),
  ];
  return {
    compares: [
      ...claims.map(({ key }) => ({ kind: 'absent', key }) as const),
      { kind: 'quiet', prefix: keys.pools(addressSpace), since: view.revision },
    ],
    writes: [
      { kind: 'put', key: keys.network(id), value: networkCodec.encode(network) },
      ...[...claims, ...gatewayClaims(network, planning)].map((claim) => ({ kind: 'put', ...claim }) as const),
    ],
    takes: [{ kind: 'vni', vni }],
    reply: network,
  };
}

/** The claims that keep a network's gateways out of everybody's hands. */
export function gatewayClaims(network: Network, { keys }: Planning): readonly { key: string; value: Uint8Array }[] {
  const gateways = network.subnets.flatMap(({ gateway }) => (gateway === undefined ? [] : [gateway]));
  const macs = new Set<Mac>(claimsMacs(network) ? gateways.map(macForIp) : []);
  const value = encodeText(gatewayHolder);
  return [
    ...gateways.map((ip) => ({ key: keys.address(network.id, ip), value })),
    ...[...macs].map((mac) => ({ key: keys.mac(network.id, mac), value })),
  ];
}

/** Without IPv4 an Ethernet address comes from part of an IPv6 address, so it needs a claim of its own. */
export function claimsMacs(network: Network): boolean {
  return network.subnets.every(({ prefix }) => prefix.includes(':'));
}

function checkNameFree(view: View, name: Name): void {
  const namesake = view.networkNamed(name)?.value;
  if (namesake === undefined) return;
  throw new CausewayError('name-taken', `name "${name}" is that of another network (${namesake.id}): choose another`, {
    field: 'name',
    value: name,
    network: namesake.id,
  });
}

function automaticVni(vni: Vni | undefined): Vni {
  if (vni !== undefined) return vni;
  throw new CausewayError('vni-exhausted', 'every automatic VNI is taken: delete a network, or ask for one by hand');
}

function askedVni(view: View, value: number): Vni {
  const vni = unwrap(parseVni(value));
  const holder = view.vnis.get(vni);
  if (holder === undefined) return vni;
  const name = view.networks.get(holder as NetworkId)?.value.name ?? holder;
  throw new CausewayError('vni-taken', `vni ${vni} is that of network "${name}": choose another, or leave it out`, {
    field: 'vni',
    value: vni,
    network: name,
  });
}
