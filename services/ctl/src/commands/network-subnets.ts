import { addressOf, CausewayError, contains, type ErrorCode, type Ip, type Prefix } from '@causeway/model';
import type { Subnet } from '@causeway/proto/gen/causeway/v1/types.js';

/** What a command line says of subnets, apart from each other: an address or range belongs to the subnet it lies in. */
export interface SubnetOptions {
  readonly prefixes: readonly Prefix[];
  readonly gateways: readonly Ip[];
  readonly ranges: readonly Prefix[];
  readonly auxAddresses: readonly AuxAddress[];
}

export interface AuxAddress {
  readonly name: string;
  readonly ip: Ip;
}

/** @throws CausewayError gateway-outside, gateway-duplicate, range-outside, aux-address-outside, aux-address-duplicate */
export function planSubnets({ prefixes, gateways, ranges, auxAddresses }: SubnetOptions): Subnet[] {
  for (const ip of gateways) checkInside(ip, ip, prefixes, '--gateway', 'gateway-outside');
  for (const range of ranges) checkInside(addressOf(range), range, prefixes, '--ip-range', 'range-outside');
  for (const { name, ip } of auxAddresses) {
    checkInside(ip, `${name}=${ip}`, prefixes, '--aux-address', 'aux-address-outside');
  }
  return prefixes.map((prefix) => ({
    prefix,
    gateway: gatewayOf(prefix, gateways) ?? '',
    ranges: ranges.filter((range) => contains(prefix, addressOf(range))),
    auxAddresses: auxAddressesOf(prefix, auxAddresses),
  }));
}

function gatewayOf(prefix: Prefix, gateways: readonly Ip[]): Ip | undefined {
  const [gateway, second] = gateways.filter((candidate) => contains(prefix, candidate));
  if (second === undefined) return gateway;
  const message = `--gateway: ${gateway} and ${second} both lie in ${prefix}, which can have one`;
  throw refuse('gateway-duplicate', message, '--gateway', second);
}

function auxAddressesOf(prefix: Prefix, all: readonly AuxAddress[]): Record<string, string> {
  const found = new Map<string, Ip>();
  for (const { name, ip } of all.filter((aux) => contains(prefix, aux.ip))) {
    const before = found.get(name);
    if (before !== undefined) {
      const message = `--aux-address: "${name}" is both ${before} and ${ip} in ${prefix}: use two names`;
      throw refuse('aux-address-duplicate', message, '--aux-address', ip);
    }
    found.set(name, ip);
  }
  return Object.fromEntries(found);
}

function checkInside(ip: Ip, value: string, prefixes: readonly Prefix[], field: string, code: ErrorCode): void {
  if (prefixes.some((prefix) => contains(prefix, ip))) return;
  const where = prefixes.length === 0 ? 'needs a --subnet that it lies in' : `lies in none of ${prefixes.join(', ')}`;
  throw refuse(code, `${field}: ${value} ${where}`, field, value);
}

function refuse(code: ErrorCode, message: string, field: string, value: string): CausewayError {
  return new CausewayError(code, message, { field, value });
}
