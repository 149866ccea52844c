import {
  type Driver,
  type DriverChange,
  Ip,
  isDriver,
  type Mtu,
  type Network,
  Prefix,
  parseName,
  parseNetworkId,
  parsePrefix,
  type Subnet,
  unwrap,
  Vni,
} from '@causeway/model';
import {
  createdFromJson,
  createdToJson,
  type Json,
  type JsonObject,
  labelsFromJson,
  list,
  mapValues,
  number,
  object,
  omit,
  recordCodec,
  text,
} from './codec.ts';
import { type KeyKind, keyPart, type RecordKind, type Versioned, versioned } from './kind.ts';
import { type Fields, parseBoolean, parseNumber } from './listed.ts';
import { NetworkIndex } from './network-index.ts';

export const network = {
  kind: 'network',
  path: [keyPart('id', parseNetworkId)],
  codec: recordCodec(networkToJson, networkFromJson),
  keep: versioned<Network>,
  index: () => new NetworkIndex(),
  listeners: 'record',
  fields: {
    id: { values: ({ value }) => [value.id] },
    name: { values: ({ value }) => [value.name] },
    driver: { values: ({ value }) => [value.driver] },
    internal: { values: ({ value }) => [`${value.internal}`], parse: parseBoolean },
    vni: { values: ({ value }) => [`${value.vni}`], parse: parseNumber },
    mtu: { values: ({ value }) => [`${value.mtu.bytes}`], parse: parseNumber },
    address_space: { values: ({ value }) => [value.addressSpace] },
    subnet: { values: ({ value }) => value.subnets.map(({ prefix }) => prefix), parse: parsePrefix },
  } as Fields<Versioned<Network>>,
} as const satisfies RecordKind;

/** Who has a name: the network's id. */
export const networkName = { kind: 'network-name', path: [keyPart('name', parseName)] } as const satisfies KeyKind;

/** Who has a subnet of an address space: the network's id. */
export const pool = {
  kind: 'pool',
  path: [
    keyPart('space', parseName),
    keyPart(
      'prefix',
      (text) => parsePrefix(text.replace('_', '/')),
      (prefix) => prefix.replace('/', '_'),
    ),
  ],
} as const satisfies KeyKind;

function networkToJson(value: Network, original?: JsonObject): JsonObject {
  return {
    ...omit(original, 'change', 'createdAt'),
    id: value.id,
    name: value.name,
    addressSpace: value.addressSpace,
    driver: value.driver,
    internal: value.internal,
    vni: value.vni,
    mtu: mtuToJson(value.mtu, object(original?.['mtu'])),
    subnets: value.subnets.map((subnet) => subnetToJson(subnet, original)),
    labels: value.labels,
    ...(value.change !== undefined && { change: { to: value.change.to, hasCrossed: value.change.hasCrossed } }),
    ...createdToJson(value),
  };
}

function networkFromJson(json: JsonObject): Network {
  const mtu = object(json['mtu']);
  return {
    id: unwrap(parseNetworkId(text(json, 'id'))),
    name: unwrap(parseName(text(json, 'name'))),
    addressSpace: unwrap(parseName(text(json, 'addressSpace'))),
    driver: driverFromJson(json['driver']),
    internal: json['internal'] === true,
    vni: Vni(number(json, 'vni')),
    mtu: {
      kind: text(mtu, 'kind') === 'fixed' ? 'fixed' : 'automatic',
      bytes: number(mtu, 'bytes'),
      ...(mtu['highest'] !== undefined && { highest: number(mtu, 'highest') }),
    },
    subnets: list(json, 'subnets').map((item) => subnetFromJson(object(item))),
    labels: labelsFromJson(json['labels']),
    ...(json['change'] !== undefined && { change: changeFromJson(object(json['change'])) }),
    ...createdFromJson(json),
  };
}

function mtuToJson({ kind, bytes, highest }: Mtu, original: JsonObject): JsonObject {
  return { ...omit(original, 'highest'), kind, bytes, ...(highest !== undefined && { highest }) };
}

/** Finds the stored subnet by its prefix and keeps its unknown fields. Known fields that were removed are dropped. */
function subnetToJson({ prefix, gateway, ranges, auxAddresses }: Subnet, original: JsonObject | undefined): JsonObject {
  const before = original === undefined ? undefined : list(original, 'subnets').map(object);
  const known = before?.find((candidate) => candidate['prefix'] === prefix) ?? {};
  const { gateway: _, ranges: __, auxAddresses: ___, ...rest } = known;
  return {
    ...rest,
    prefix,
    ...(gateway === undefined ? {} : { gateway }),
    ...(ranges === undefined ? {} : { ranges }),
    ...(auxAddresses === undefined ? {} : { auxAddresses }),
  };
}

function subnetFromJson(json: JsonObject): Subnet {
  const aux = json['auxAddresses'];
  return {
    prefix: Prefix(text(json, 'prefix')),
    ...(json['gateway'] === undefined ? {} : { gateway: Ip(text(json, 'gateway')) }),
    ...(json['ranges'] === undefined ? {} : { ranges: list(json, 'ranges').map((range) => Prefix(String(range))) }),
    ...(aux === undefined ? {} : { auxAddresses: mapValues(object(aux), (ip) => Ip(String(ip))) }),
  };
}

function changeFromJson(json: JsonObject): DriverChange {
  return {
    to: text(json, 'to') === 'overlay' ? 'overlay' : 'encrypted-overlay',
    hasCrossed: json['hasCrossed'] === true,
  };
}

/** Older records name no driver: there was only `overlay`. */
function driverFromJson(json: Json | undefined): Driver {
  if (json === undefined) return 'overlay';
  if (typeof json === 'string' && isDriver(json)) return json;
  throw new TypeError(`driver ${JSON.stringify(json)} is not known to this version`);
}
