import {
  CausewayError,
  type EndpointId,
  type Family,
  family,
  familyOf,
  type InterfaceAddress,
  type Ip,
  interfaceAddress,
  lengthOf,
  type Mac,
  macForIp,
  type Network,
} from '@causeway/model';
import type { Allocator } from '../allocator/allocator.ts';
import type { Pool } from '../allocator/pool.ts';
import type { View } from '../store/view.ts';
import { claimsMacs } from './network-claims.ts';

export interface Choice {
  /** One of each family the network has, the IPv4 one first. */
  readonly addresses: readonly InterfaceAddress[];
  readonly mac: Mac;
}

type Sources = { readonly view: View; readonly allocator: Allocator };

/**
 * An endpoint's addresses: those asked for, else the lowest free one of the first subnet of the family that has room.
 * IPv6 takes the host number of the IPv4 address when that is free, so that people can tell one from the other.
 * @throws CausewayError address-outside, address-reserved, address-in-use, pool-exhausted, invalid-argument
 */
export function chooseAddresses(network: Network, asked: readonly Ip[], sources: Sources): Choice {
  const pools = sources.allocator.pools(network);
  checkAsked(network, pools, asked);
  const four = chooseIn(4, network, pools, asked, sources);
  const hostNumber = four === undefined ? undefined : four.pool.offset(four.ip);
  const six = chooseIn(6, network, pools, asked, sources, hostNumber);
  const chosen = [four, six].filter((choice) => choice !== undefined);
  const ip = chosen[0]?.ip;
  if (ip === undefined) throw new TypeError(`network ${network.id} has no subnets`);
  return {
    addresses: chosen.map((choice) => interfaceAddress(choice.ip, lengthOf(choice.pool.prefix))),
    mac: macForIp(ip),
  };
}

interface Chosen {
  readonly ip: Ip;
  readonly pool: Pool;
}

function chooseIn(
  of: Family,
  network: Network,
  pools: readonly Pool[],
  asked: readonly Ip[],
  sources: Sources,
  hostNumber?: bigint,
): Chosen | undefined {
  const ofFamily = pools.filter((pool) => familyOf(pool.prefix) === of);
  if (ofFamily.length === 0) return undefined;
  const wish = asked.find((ip) => family(ip) === of);
  const pool = wish === undefined ? undefined : ofFamily.find((candidate) => candidate.contains(wish));
  if (wish !== undefined && pool !== undefined) {
    checkFree(network, wish, pool, sources);
    return { ip: wish, pool };
  }
  const needsMac = claimsMacs(network);
  for (const candidate of ofFamily) {
    const same = hostNumber === undefined ? undefined : candidate.freeAt(hostNumber);
    const ip =
      same ?? lowestFree(candidate, (free) => needsMac && sources.allocator.isMacTaken(network.id, macForIp(free)));
    if (ip !== undefined) return { ip, pool: candidate };
  }
  throw exhausted(of, network, ofFamily);
}

function lowestFree(pool: Pool, isUnfit: (ip: Ip) => boolean): Ip | undefined {
  let ip = pool.lowestFree();
  while (ip !== undefined && isUnfit(ip)) ip = pool.lowestFree(pool.offset(ip) + 1n);
  return ip;
}

function checkAsked(network: Network, pools: readonly Pool[], asked: readonly Ip[]): void {
  for (const [i, ip] of asked.entries()) {
    const rival = asked.slice(0, i).find((earlier) => family(earlier) === family(ip));
    if (rival !== undefined) {
      const message = `addresses: ${rival} and ${ip} are both IPv${family(ip)}, ask for at most one of each family`;
      throw new CausewayError('invalid-argument', message, { field: 'addresses', value: ip });
    }
    if (pools.some((pool) => pool.contains(ip))) continue;
    const subnets = network.subnets.map(({ prefix }) => prefix).join(', ');
    const message = `address ${ip} is outside of network "${network.name}": use one of ${subnets}`;
    throw new CausewayError('address-outside', message, { field: 'addresses', value: ip });
  }
}

/** What is only in flight is not refused: the store says who gets it. */
function checkFree(network: Network, ip: Ip, pool: Pool, { view }: Sources): void {
  const data = { field: 'addresses', value: ip, network: network.name };
  const reservation = pool.reservation(ip);
  if (reservation !== undefined) {
    const message = `address ${ip} is the ${reservation} of ${pool.prefix}: ask for another, or leave it out`;
    throw new CausewayError('address-reserved', message, data);
  }
  const holder = view.addressesOf(network.id).get(ip);
  if (holder !== undefined) {
    const message = `address ${ip} is in use by ${describe(view, holder)}: ask for another, or leave it out`;
    throw new CausewayError('address-in-use', message, data);
  }
  const rival = claimsMacs(network) ? view.macsOf(network.id).get(macForIp(ip)) : undefined;
  if (rival !== undefined) {
    const message = `address ${ip} gives the same Ethernet address ${macForIp(ip)} as that of ${describe(view, rival)}: ask for one with other last four bytes`;
    throw new CausewayError('address-in-use', message, data);
  }
}

function describe(view: View, holder: string): string {
  const endpoint = view.endpoint(holder as EndpointId)?.value;
  return endpoint === undefined ? `the ${holder}` : `endpoint "${endpoint.name}"`;
}

function exhausted(of: Family, network: Network, pools: readonly Pool[]): CausewayError {
  const used = pools.reduce((sum, pool) => sum + pool.used, 0n);
  const size = pools.reduce((sum, pool) => sum + pool.capacity, 0n);
  const subnets = pools.map((pool) => pool.prefix).join(', ');
  const message = `network "${network.name}" has no free IPv${of} address: ${used} of ${size} in use in ${subnets}`;
  return new CausewayError('pool-exhausted', message, { network: network.name, used: `${used}`, size: `${size}` });
}
