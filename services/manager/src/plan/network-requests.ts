import {
  CausewayError,
  clip,
  type Name,
  type Prefix,
  parseIp,
  parseName,
  parsePrefix,
  parseReference,
  type SteadyDriver,
  type Subnet,
  unwrap,
} from '@causeway/model';
import type {
  CreateNetworkRequest,
  DeleteNetworkRequest,
  UpdateNetworkRequest,
} from '@causeway/proto/gen/causeway/v1/network_service.js';
import type { Subnet as SubnetMessage } from '@causeway/proto/gen/causeway/v1/types.js';
import type { CreateNetwork } from './create-network.ts';
import type { DeleteNetwork } from './delete-network.ts';
import { inField, sorted } from './fields.ts';
import type { UpdateNetwork } from './update-network.ts';

const defaultSpace = 'default' as Name;

export function readCreateNetwork(message: CreateNetworkRequest): CreateNetwork {
  return {
    name: unwrap(parseName(message.name)),
    addressSpace: message.addressSpace === '' ? defaultSpace : unwrap(parseName(message.addressSpace, 'address_space')),
    driver: readDriver(message),
    internal: message.internal,
    subnets: message.subnets.map((subnet, i) => readSubnet(subnet, `subnets[${i}]`)),
    gateways: message.noGateway ? 'asked-for' : 'all',
    families: [...(message.ipv4 ? ([4] as const) : []), ...(message.ipv6 ? ([6] as const) : [])],
    ...(message.vni === 0 ? {} : { vni: message.vni }),
    ...(message.mtu === 0 ? {} : { mtu: message.mtu }),
    labels: sorted(message.labels),
    ...(message.force && { force: true }),
  };
}

export function readDeleteNetwork(message: DeleteNetworkRequest): DeleteNetwork {
  return {
    network: unwrap(parseReference(message.network, 'network')),
    ...(message.ifRevision === 0n ? {} : { ifRevision: message.ifRevision }),
    force: message.force,
  };
}

export function readUpdateNetwork(message: UpdateNetworkRequest): UpdateNetwork {
  const { mtu, mtuAutomatic } = message;
  if (mtu !== 0 && mtuAutomatic) {
    const text = `mtu ${mtu} and mtu_automatic exclude each other: ask for one of them`;
    throw new CausewayError('mtu-invalid', text, { field: 'mtu', value: mtu });
  }
  if (message.encrypt && message.noEncrypt) {
    const text = 'encrypt and no_encrypt exclude each other: ask for one of them';
    throw new CausewayError('invalid-argument', text, { field: 'encrypt' });
  }
  return {
    network: unwrap(parseReference(message.network, 'network')),
    ...(message.ifRevision === 0n ? {} : { ifRevision: message.ifRevision }),
    ...(message.name === '' ? {} : { name: unwrap(parseName(message.name)) }),
    setLabels: sorted(message.setLabels),
    removeLabels: message.removeLabels,
    addSubnets: message.addSubnets.map((subnet, i) => readSubnet(subnet, `add_subnets[${i}]`)),
    gateways: message.noGateway ? 'asked-for' : 'all',
    removeSubnets: readPrefixes(message.removeSubnets, 'remove_subnets'),
    addRanges: readPrefixes(message.addRanges, 'add_ranges'),
    ...(message.encrypt && { driver: 'encrypted-overlay' }),
    ...(message.noEncrypt && { driver: 'overlay' }),
    ...(mtuAutomatic && { mtu: 'automatic' }),
    ...(mtu !== 0 && { mtu }),
    ...(message.force && { force: true }),
  };
}

function readPrefixes(texts: readonly string[], field: string): readonly Prefix[] {
  return texts.map((text, i) => inField(`${field}[${i}]`, parsePrefix(text)));
}

function readSubnet({ prefix, gateway, ranges, auxAddresses }: SubnetMessage, field: string): Subnet {
  const aux = Object.entries(sorted(auxAddresses)).map(
    ([name, ip]) => [name, inField(`${field}.aux_addresses.${name}`, parseIp(ip))] as const,
  );
  return {
    prefix: inField(field, parsePrefix(prefix)),
    ...(gateway === '' ? {} : { gateway: inField(`${field}.gateway`, parseIp(gateway)) }),
    ...(ranges.length === 0
      ? {}
      : { ranges: ranges.map((range, i) => inField(`${field}.ranges[${i}]`, parsePrefix(range))) }),
    ...(aux.length === 0 ? {} : { auxAddresses: Object.fromEntries(aux) }),
  };
}

function readDriver({ driver, encrypt }: Pick<CreateNetworkRequest, 'driver' | 'encrypt'>): SteadyDriver {
  const asked = driver === '' ? 'overlay' : driver;
  if (asked === 'overlay' || asked === 'encrypted-overlay') return encrypt ? 'encrypted-overlay' : asked;
  const message = `driver "${clip(driver)}" is not one for a new network: ask for "overlay" or "encrypted-overlay"`;
  throw new CausewayError('driver-unknown', message, { field: 'driver', value: clip(driver) });
}
