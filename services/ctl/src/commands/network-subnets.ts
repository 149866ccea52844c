import {
  addressOf,
  CausewayError,
  clip,
  contains,
  type ErrorCode,
  type Ip,
  ok,
  type Prefix,
  parseIp,
  type Result,
} from '@causeway/model';
import type { Subnet } from '@causeway/proto/gen/causeway/v1/types.js';
import { parseAs, parseNameOf } from '../parse.ts';

/** The subnet options of a command line, separately. An address or range belongs to the subnet that contains it. */
export interface SubnetOptions {
  readonly prefixes: readonly Prefix[];
  readonly gateways: readonly GatewayOption[];
  readonly ranges: readonly Prefix[];
  readonly auxAddresses: readonly AuxAddress[];
}

export interface AuxAddress {
  readonly name: string;
  readonly ip: Ip;
}

/** "none" applies to all subnets that contain no given gateway. */
export type GatewayOption = Ip | 'none';

export function parseGateway(text: string): Result<GatewayOption, CausewayError> {
  return text === 'none' ? ok(text) : parseIp(text);
}

export function parseAuxAddress(text: string, before: readonly AuxAddress[]): readonly AuxAddress[] {
  const at = text.indexOf('=');
  if (at > 0) {
    const ip = parseAs('--aux-address', parseIp)(text.slice(at + 1));
    return [...before, { name: parseNameOf('--aux-address')(text.slice(0, at)), ip }];
  }
  throw new CausewayError(
    'invalid-argument',
    `--aux-address: "${clip(text)}" is not NAME=IP such as printer=10.68.0.9`,
    {
      field: '--aux-address',
      value: clip(text),
    },
  );
}

/**
 * Builds the subnets from the options. `option`: the option that gives the prefixes.
 * @throws CausewayError gateway-outside, gateway-duplicate, range-outside, aux-address-outside, aux-address-duplicate
 */
export function planSubnets(
  { prefixes, gateways: said, ranges, auxAddresses }: SubnetOptions,
  option = '--subnet',
): Subnet[] {
  const gateways = said.filter((gateway): gateway is Ip => gateway !== 'none');
  const inside = (ip: Ip, value: string, field: string, code: ErrorCode): void =>
    checkInside(ip, prefixes, { value, field, code, option });
  for (const ip of gateways) inside(ip, ip, '--gateway', 'gateway-outside');
  for (const range of ranges) inside(addressOf(range), range, '--ip-range', 'range-outside');
  for (const { name, ip } of auxAddresses) {
    inside(ip, `${name}=${ip}`, '--aux-address', 'aux-address-outside');
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
  const message = `--gateway: ${gateway} and ${second} both lie in ${prefix}: a subnet has one gateway`;
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

function checkInside(
  ip: Ip,
  prefixes: readonly Prefix[],
  { value, field, code, option }: Record<'value' | 'field' | 'option', string> & { readonly code: ErrorCode },
): void {
  if (prefixes.some((prefix) => contains(prefix, ip))) return;
  const where = prefixes.length === 0 ? `needs a ${option} that it lies in` : `lies in none of ${prefixes.join(', ')}`;
  throw refuse(code, `${field}: ${value} ${where}`, field, value);
}

function refuse(code: ErrorCode, message: string, field: string, value: string): CausewayError {
  return new CausewayError(code, message, { field, value });
}
