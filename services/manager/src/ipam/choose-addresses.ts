import {
  CausewayError,
  type Family,
  family,
  familyOf,
  type InterfaceAddress,
  type Ip,
  interfaceAddress,
  lengthOf,
  type Mac,
  macForIp,
  type Name,
  type Network,
  type Prefix,
  type Subnet,
} from '@causeway/model';
import { type Claim, printClaim } from '../store/records/claim.ts';
import type { View } from '../store/view.ts';
import type { Allocator } from './allocator.ts';
import { claimsMacs } from './network-claims.ts';
import type { AddressUse, SubnetAddresses } from './subnet-addresses.ts';

interface Choice {
  /** One address of each family that the network has, the IPv4 address first. */
  readonly addresses: readonly InterfaceAddress[];
  readonly mac: Mac;
}

type Sources = { readonly view: View; readonly allocator: Allocator };

/** What an endpoint asks for. */
interface Wish {
  readonly network: Network;
  readonly name: Name;
  /** At most one address of each family. */
  readonly asked: readonly Ip[];
}

/**
 * An endpoint's addresses. In each family this is the address that the request asks for; otherwise the address that an
 * endpoint of the same name had before, while that address is cooling; otherwise the next address of the first subnet
 * with room. The next address is the one after the address that was given last; after the end of the subnet the search
 * goes on from its start. IPv6 takes the host number of the IPv4 address when that is free, so that people can see that
 * the two belong together.
 * @throws CausewayError address-outside, address-reserved, address-in-use, address-exhausted, invalid-argument
 */
export function chooseAddresses(wish: Wish, sources: Sources): Choice {
  const { network } = wish;
  const subnets = sources.allocator.subnetsOf(network);
  checkAsked(network, subnets, wish.asked);
  const of = (version: Family): readonly SubnetAddresses[] =>
    subnets.filter(({ prefix }) => familyOf(prefix) === version);
  const four = chooseIn(of(4), wish, sources);
  const six = chooseIn(of(6), wish, sources, four?.subnet.offset(four.ip));
  const chosen = [four, six].filter((choice) => choice !== undefined);
  const ip = chosen[0]?.ip;
  if (ip === undefined) throw new TypeError(`network ${network.id} has no subnets`);
  return {
    addresses: chosen.map((choice) => interfaceAddress(choice.ip, lengthOf(choice.subnet.prefix))),
    mac: macForIp(ip),
  };
}

interface Chosen {
  readonly ip: Ip;
  readonly subnet: SubnetAddresses;
}

/** Chooses in the network's subnets of one family; undefined when there are none. */
function chooseIn(
  subnets: readonly SubnetAddresses[],
  wish: Wish,
  sources: Sources,
  hostNumber?: bigint,
): Chosen | undefined {
  const [first] = subnets;
  if (first === undefined) return undefined;
  const of = familyOf(first.prefix);
  const asked = wish.asked.find((ip) => family(ip) === of);
  const subnet = asked === undefined ? undefined : subnets.find((candidate) => candidate.contains(asked));
  if (asked !== undefined && subnet !== undefined) {
    checkFree(wish, asked, subnet, sources);
    return { ip: asked, subnet };
  }
  const before = formerOf(wish, subnets, sources);
  if (before !== undefined) return before;
  for (const candidate of subnets) {
    const same = hostNumber === undefined ? undefined : candidate.freeAt(hostNumber);
    const ip = same ?? nextFree(candidate, wish.network, sources);
    if (ip !== undefined) return { ip, subnet: candidate };
  }
  throw exhausted(of, wish.network, subnets);
}

/** The newest address that is cooling and that an endpoint of this name had. */
function formerOf({ network, name }: Wish, subnets: readonly SubnetAddresses[], { view }: Sources): Chosen | undefined {
  for (const ip of [...view.coolingFor(network.id, name)].reverse()) {
    const subnet = subnets.find((candidate) => candidate.isAutomatic(ip));
    if (subnet !== undefined) return { ip, subnet };
  }
  return undefined;
}

/** The next free address. An address is skipped if another endpoint has the Ethernet address that belongs to it. */
function nextFree(subnet: SubnetAddresses, network: Network, { allocator }: Sources): Ip | undefined {
  const needsMac = claimsMacs(network);
  for (const ip of subnet.inTurn()) if (!needsMac || !allocator.isMacTaken(network.id, macForIp(ip))) return ip;
  return undefined;
}

function checkAsked(network: Network, subnets: readonly SubnetAddresses[], asked: readonly Ip[]): void {
  for (const [i, ip] of asked.entries()) {
    const other = asked.slice(0, i).find((earlier) => family(earlier) === family(ip));
    if (other !== undefined) {
      const message = `addresses: ${other} and ${ip} are both IPv${family(ip)}: request at most one address of each family`;
      throw new CausewayError('invalid-argument', message, { field: 'addresses', value: ip });
    }
    if (subnets.some((subnet) => subnet.contains(ip))) continue;
    const prefixes = network.subnets.map(({ prefix }) => prefix).join(', ');
    const message = `address ${ip} is outside of network "${network.name}": use an address of ${prefixes}`;
    throw new CausewayError('address-outside', message, { field: 'addresses', value: ip });
  }
}

/** Whether an endpoint of this name may get what the claim keeps: its former address, which is cooling. */
export function mayReturn(claim: Claim | undefined, name: Name): boolean {
  return claim?.kind === 'cooling' && claim.endpointName === name;
}

/** An address that a proposal in flight claims is not refused: the store decides which proposal gets it. */
function checkFree({ network, name }: Wish, ip: Ip, subnet: SubnetAddresses, { view }: Sources): void {
  const data = { field: 'addresses', value: ip, network: network.name };
  const reservation = subnet.reservation(ip);
  if (reservation !== undefined) {
    const message = `address ${ip} is the ${reservation} of ${subnet.prefix}: choose another address, or omit it`;
    throw new CausewayError('address-reserved', message, data);
  }
  const holder = view.addressesOf(network.id).get(ip)?.claim;
  if (holder !== undefined && !mayReturn(holder, name)) {
    const message = `address ${ip} is ${describeHolder(view, holder)}: choose another address, or omit it`;
    throw new CausewayError('address-in-use', message, data);
  }
  const macHolder = claimsMacs(network) ? view.macsOf(network.id).get(macForIp(ip))?.claim : undefined;
  if (macHolder !== undefined && !mayReturn(macHolder, name)) {
    const message = `address ${ip} leads to the MAC address ${macForIp(ip)}, which ${describe(view, macHolder)} has: choose an address with different last four bytes`;
    throw new CausewayError('address-in-use', message, data);
  }
}

/** What holds an address: "in use by …", "reserved for …", "cooling: …". */
export function describeHolder(view: View, claim: Claim): string {
  switch (claim.kind) {
    case 'reservation':
      return `reserved for ${claim.purpose}`;
    case 'cooling':
      return `cooling: endpoint "${claim.endpointName}" had it, and a host may still have it in its kernel`;
    default:
      return `in use by ${describe(view, claim)}`;
  }
}

function describe(view: View, claim: Claim): string {
  const endpoint = claim.kind === 'endpoint' ? view.endpoint(claim.endpoint)?.value : undefined;
  return endpoint === undefined ? `the ${printClaim(claim)}` : `endpoint "${endpoint.name}"`;
}

function exhausted(of: Family, network: Network, subnets: readonly SubnetAddresses[]): CausewayError {
  const uses = subnets.map((subnet) => subnet.useOfRanges);
  const sum = (of: keyof AddressUse): string => `${uses.reduce((total, use) => total + use[of], 0n)}`;
  const counts = { size: sum('size'), used: sum('used'), reserved: sum('reserved'), cooling: sum('cooling') };
  const where = network.subnets.filter(({ prefix }) => familyOf(prefix) === of).flatMap(automaticPart);
  const message = `network "${network.name}" has no free IPv${of} address: ${counts.used} of ${counts.size} in use, ${counts.reserved} reserved, ${counts.cooling} cooling in ${where.join(', ')}`;
  return new CausewayError('address-exhausted', message, { network: network.name, ...counts });
}

function automaticPart({ prefix, ranges }: Subnet): readonly Prefix[] {
  return ranges ?? [prefix];
}
