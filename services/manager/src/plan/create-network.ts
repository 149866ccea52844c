import {
  assertNever,
  CausewayError,
  checkLabels,
  type Driver,
  type Family,
  firstAutomaticVni,
  type Name,
  type Network,
  type NetworkId,
  parseVni,
  type Subnet,
  unwrap,
  type Vni,
} from '@causeway/model';
import { randomId } from '@causeway/runtime';
import { networkCreated } from '../events/describe.ts';
import type { Allocator } from '../ipam/allocator.ts';
import { addressClaims, nameClaim, subnetClaims, vniClaim } from '../ipam/network-claims.ts';
import type { GatewayRule } from '../ipam/subnet.ts';
import { type DefaultPool, poolsOf, takeSubnets } from '../ipam/subnet-pools.ts';
import { checkDisjoint, completeSubnets } from '../ipam/subnets.ts';
import { checkOffUnderlays } from '../ipam/underlays.ts';
import { records } from '../store/records/index.ts';
import { printVniClaim, type VniClaim } from '../store/records/vni-claim.ts';
import type { View } from '../store/view.ts';
import { checkNotAnId } from './checks.ts';
import type { Planning, Proposal, Request } from './intent.ts';
import { automaticMtu, checkCarried, fixedMtu } from './mtu.ts';

export interface CreateNetwork {
  readonly name: Name;
  readonly addressSpace: Name;
  readonly driver: Driver;
  /** The network has no gateways, so its containers cannot reach other networks. */
  readonly internal: boolean;
  /** A subnet without gateway gets its first usable address as one, unless `gateways` is "asked-for" or `internal` is set. */
  readonly subnets: readonly Subnet[];
  readonly gateways: GatewayRule;
  /** If no subnet is named: families of the subnets to take from the default pools; empty: one subnet of each family. */
  readonly families: readonly Family[];
  /** Absent: the next free VNI. */
  readonly vni?: number;
  /** MTU in bytes; absent: the most that the hosts' underlays carry. */
  readonly mtu?: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Accept an MTU that some hosts cannot carry, and a subnet that overlaps an underlay. Absent: refuse them. */
  readonly force?: true;
}

/**
 * @throws from its check: name-invalid, invalid-argument, family-unneeded, mtu-invalid, vni-invalid, and what
 * `completeSubnets` throws; from its plan: name-taken, mtu-too-large, underlay-overlap, vni-taken,
 * vni-exhausted, and what `checkDisjoint` throws
 */
export function createNetwork(request: CreateNetwork, pools: readonly DefaultPool[] = []): Request<Network> {
  return {
    kind: 'network.create',
    content: JSON.stringify(request),
    lane: `space/${request.addressSpace}`,
    outcome: { toJson: records.network.codec.toJson, fromJson: records.network.codec.fromJson },
    check: () => checkCreateNetwork(request),
    plan: (planning) => planCreateNetwork(request, pools, planning),
  };
}

function checkCreateNetwork({ name, labels, vni, mtu, subnets, families, ...request }: CreateNetwork): void {
  checkNotAnId(name, 'name');
  checkLabels(labels);
  if (vni !== undefined) unwrap(parseVni(vni));
  if (subnets.length > 0) checkUnneeded(families);
  const complete = subnets.length === 0 ? [] : completeSubnets(subnets, gatewayRule(request));
  if (mtu !== undefined) fixedMtu(mtu, complete);
}

function gatewayRule({ internal, gateways }: Pick<CreateNetwork, 'internal' | 'gateways'>): GatewayRule {
  return internal ? 'none' : gateways;
}

function planCreateNetwork(
  request: CreateNetwork,
  pools: readonly DefaultPool[],
  planning: Planning,
): Proposal<Network> {
  const { view, allocator, keys, random, clock } = planning;
  const subnets = completeSubnets(subnetsOf(request, pools, view), gatewayRule(request));
  const mtu =
    request.mtu === undefined
      ? automaticMtu(view, { driver: request.driver, subnets })
      : fixedMtu(request.mtu, subnets);
  checkNameFree(view, request.name);
  checkDisjoint(view, request, subnets);
  if (request.force !== true) {
    if (mtu.kind === 'fixed') checkCarried(view, mtu, { driver: request.driver, subnets });
    if (request.subnets.length > 0) checkOffUnderlays(view, subnets);
  }
  const vni = request.vni === undefined ? automaticVni(allocator) : askedVni(view, request.vni);
  const id = randomId(random) as NetworkId;
  const { name, addressSpace, driver, internal, labels } = request;
  const createdAt = Math.trunc(clock.wall());
  const network: Network = { id, name, addressSpace, driver, internal, vni, mtu, subnets, labels, createdAt };

  const asked = request.vni !== undefined;
  const claims = [nameClaim(network, keys), vniClaim(network, keys, asked), ...subnetClaims(network, subnets, keys)];
  return {
    compares: [
      ...claims.map(({ key }) => ({ kind: 'absent', key }) as const),
      { kind: 'quiet', prefix: keys.under('pool', addressSpace), since: view.revision },
    ],
    writes: [
      { kind: 'put', key: keys.network(id), value: records.network.codec.encode(network) },
      ...[...claims, ...addressClaims(network, subnets, keys)].map((claim) => ({ kind: 'put', ...claim }) as const),
    ],
    takes: [{ kind: 'vni', vni }],
    events: [networkCreated(network)],
    reply: network,
  };
}

/** `pools`: the pools from the manager's settings. */
function subnetsOf(
  { subnets, families, addressSpace }: CreateNetwork,
  pools: readonly DefaultPool[],
  view: View,
): readonly Subnet[] {
  if (subnets.length > 0) return subnets;
  const requested = families.length === 0 ? ([4, 6] as const) : families;
  return takeSubnets(requested, addressSpace, poolsOf(pools, view.cluster?.id), view).map((prefix) => ({ prefix }));
}

function checkUnneeded([asked]: readonly Family[]): void {
  if (asked === undefined) return;
  const message = `ipv${asked} asks for a subnet from the default pools, but subnets are named: omit one of the two`;
  throw new CausewayError('family-unneeded', message, { field: `ipv${asked}` });
}

export function checkNameFree(view: View, name: Name): void {
  const namesake = view.networkNamed(name)?.value;
  if (namesake === undefined) return;
  throw new CausewayError(
    'name-taken',
    `a network named "${name}" exists already (${namesake.id}): choose another name`,
    {
      field: 'name',
      value: name,
      network: namesake.id,
    },
  );
}

function automaticVni(allocator: Pick<Allocator, 'nextVni' | 'vniUse'>): Vni {
  const vni = allocator.nextVni();
  if (vni !== undefined) return vni;
  const { size, used, cooling } = allocator.vniUse;
  const message = `no automatic VNI is free: ${used} of ${size} in use, ${cooling} cooling; delete a network, or choose a VNI below ${firstAutomaticVni}`;
  throw new CausewayError('vni-exhausted', message, { field: 'vni', size, used, cooling });
}

function askedVni(view: View, value: number): Vni {
  const vni = unwrap(parseVni(value));
  const claim = view.vnis.get(vni)?.claim;
  if (claim === undefined) return vni;
  const { why, network } = vniHolder(view, claim);
  throw new CausewayError('vni-taken', `vni ${vni} is ${why}: choose another VNI, or omit it`, {
    field: 'vni',
    value: vni,
    network,
  });
}

function vniHolder(view: View, claim: VniClaim): { readonly why: string; readonly network: string } {
  switch (claim.kind) {
    case 'network': {
      const network = view.networks.get(claim.network)?.value.name ?? claim.network;
      return { why: `in use by network "${network}"`, network };
    }
    case 'cooling': {
      const why = `cooling: network "${claim.name}" had it, and a host may still have it in its kernel`;
      return { why, network: claim.name };
    }
    case 'unknown':
      return { why: `that of a ${printVniClaim(claim)}`, network: '' };
    default:
      return assertNever(claim);
  }
}
