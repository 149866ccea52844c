import { CausewayError, checkLabels, family, type Ip, macForIp, type Network, type Subnet } from '@causeway/model';
import { networkChanged } from '../events/describe.ts';
import { addressClaims, type ClaimWrite, nameClaim, subnetClaims } from '../ipam/network-claims.ts';
import { checkDisjoint, mostSubnets } from '../ipam/subnets.ts';
import { checkOffUnderlays } from '../ipam/underlays.ts';
import { type Claimed, printClaim } from '../store/records/claim.ts';
import { decodeText } from '../store/records/codec.ts';
import { records } from '../store/records/index.ts';
import type { Compare, Write } from '../store/store.ts';
import { needsEspNow } from './change-driver.ts';
import { checkNotAnId, checkRevision } from './checks.ts';
import { checkNameFree } from './create-network.ts';
import { checkHostsEncrypt, type EncryptionFacts } from './hosts-encrypt.ts';
import { nothingToDo, type Planning, type Proposal, type Request } from './intent.ts';
import { checkCarried, fixedMtu } from './mtu.ts';
import { changeNetwork, type NetworkChange } from './network-change.ts';
import { refuseUsers, usersOf } from './network-users.ts';

export interface UpdateNetwork extends NetworkChange {
  /** Name or id. */
  readonly network: string;
  /** Revision that the network must have; absent: any. */
  readonly ifRevision?: bigint;
}

/** No host has said anything about itself. */
const noFacts: EncryptionFacts = { cannotEncrypt: () => [] };

/**
 * @throws from its check: name-invalid, invalid-argument, mtu-invalid; from its plan: network-unknown, revision-conflict,
 * name-taken, subnet-in-use, subnet-overlap, underlay-overlap, mtu-too-large, address-in-use, encryption-unavailable, and what
 * `changeNetwork` throws
 */
export function updateNetwork(request: UpdateNetwork, facts: EncryptionFacts = noFacts): Request<Network> {
  return {
    kind: 'network.update',
    content: JSON.stringify({ ...request, ifRevision: request.ifRevision?.toString() }),
    outcome: records.network.codec,
    check: () => checkUpdateNetwork(request),
    plan: (planning) => planUpdateNetwork(request, facts, planning),
  };
}

function checkUpdateNetwork(request: UpdateNetwork): void {
  checkSize(request);
  checkLabels(request.setLabels);
  if (request.name !== undefined) checkNotAnId(request.name, 'name');
  if (typeof request.mtu === 'number') fixedMtu(request.mtu, request.addSubnets);
}

/** One transaction writes all: the record, the claims that the network gains and the claims that it gives up. */
function planUpdateNetwork(request: UpdateNetwork, facts: EncryptionFacts, planning: Planning): Proposal<Network> {
  const { view, keys } = planning;
  const current = view.findNetwork(request.network);
  const before = current.value;
  checkRevision(current, request.ifRevision, records.network.codec.toJson);
  const after = changeNetwork(before, request, view);
  const events = networkChanged(before, after);
  // Without a change nothing is written: there is no new revision, and hosts have nothing to apply.
  if (events.length === 0) return nothingToDo(before, current.revision);
  if (after.name !== before.name) checkNameFree(view, after.name);
  if (needsEspNow(before, after)) checkHostsEncrypt(before, facts);
  const added = after.subnets.filter(({ prefix }) => !before.subnets.some((subnet) => subnet.prefix === prefix));
  checkDisjoint(view, before, added, 'add_subnets');
  if (request.force !== true) {
    const isOther = after.mtu.bytes !== before.mtu.bytes || needsEspNow(before, after);
    if (after.mtu.kind === 'fixed' && isOther) checkCarried(view, after.mtu, after);
    checkOffUnderlays(view, added, 'add_subnets');
  }
  checkUnclaimed(before, added, planning);
  refuseUsers(usersOf(view, before, request.removeSubnets), {
    code: 'subnet-in-use',
    what: `remove_subnets: ${request.removeSubnets.join(', ')}`,
    remedy: 'detach the endpoints and release the reservations first',
    field: 'remove_subnets',
  });
  const [had, has] = [claimsOf(before, planning), claimsOf(after, planning)];
  const gained = [...has].filter(([key]) => !had.has(key));
  const changed = [...has].filter(([key, value]) => saysOther(had.get(key), value));
  const lost = [...had.keys()].filter((key) => !has.has(key));
  const key = keys.network(before.id);
  return {
    compares: [
      { kind: 'unchanged', key, modRevision: current.revision },
      ...gained.map(([claim]): Compare => ({ kind: 'absent', key: claim })),
      ...quiet(added.length > 0, keys.under('pool', before.addressSpace), planning),
      ...quiet(request.removeSubnets.length > 0, keys.under('address', before.id), planning),
    ],
    writes: [
      { kind: 'put', key, value: records.network.codec.encode(after, current.original) },
      ...[...gained, ...changed].map(([claim, value]): Write => ({ kind: 'put', key: claim, value })),
      ...lost.map((claim): Write => ({ kind: 'delete', key: claim })),
    ],
    takes: [],
    events,
    reply: after,
  };
}

/** Claims by key: two subnets may share the MAC address of their gateways, and then share its claim. */
function claimsOf(network: Network, { keys }: Planning): ReadonlyMap<string, Uint8Array> {
  const claims: readonly ClaimWrite[] = [
    nameClaim(network, keys),
    ...subnetClaims(network, network.subnets, keys),
    ...addressClaims(network, network.subnets, keys),
  ];
  return new Map(claims.map(({ key, value }) => [key, value]));
}

function quiet(needed: boolean, prefix: string, { view }: Planning): readonly Compare[] {
  return needed ? [{ kind: 'quiet', prefix, since: view.revision }] : [];
}

/** Limits the change, since its claims must fit into one transaction. */
function checkSize({ addSubnets, removeSubnets }: UpdateNetwork): void {
  const sum = addSubnets.length + removeSubnets.length;
  if (sum <= mostSubnets) return;
  const message = `add_subnets and remove_subnets: ${sum} subnets are too many at once, the limit is ${mostSubnets}`;
  throw new CausewayError('invalid-argument', message, { field: 'add_subnets' });
}

/** Whether the holder changes: a gateway, for example, may become an auxiliary address. */
function saysOther(before: Uint8Array | undefined, after: Uint8Array): boolean {
  return before !== undefined && decodeText(before) !== decodeText(after);
}

/** If the network had the subnet before, some of its addresses may still be cooling. */
function checkUnclaimed({ id }: Network, added: readonly Subnet[], { view }: Planning): void {
  for (const { prefix, gateway, auxAddresses = {} } of added) {
    const named = [...(gateway === undefined ? [] : [gateway]), ...Object.values(auxAddresses)];
    for (const ip of named) refuseClaimed(view.addressesOf(id).get(ip), prefix, ip);
    if (gateway === undefined || family(gateway) === 4) continue;
    refuseClaimed(view.macsOf(id).get(macForIp(gateway)), prefix, gateway);
  }
}

/** Claims of gateways and auxiliary addresses are the network's own: from a removed subnet, or shared by gateways. */
function refuseClaimed(claimed: Claimed | undefined, prefix: Subnet['prefix'], ip: Ip): void {
  if (claimed === undefined || claimed.claim.kind === 'gateway' || claimed.claim.kind === 'aux') return;
  const message = `add_subnets: ${ip} of ${prefix}, or its MAC address, belongs to ${printClaim(claimed.claim)}: choose another address, or wait`;
  throw new CausewayError('address-in-use', message, { field: 'add_subnets', value: ip });
}
