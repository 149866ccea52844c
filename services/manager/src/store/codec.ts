import {
  CausewayError,
  type ClusterId,
  type Driver,
  type Endpoint,
  fail,
  InterfaceAddress,
  Ip,
  isCausewayError,
  type Labels,
  Mac,
  type Mtu,
  type Network,
  type Node,
  ok,
  Prefix,
  parseClusterId,
  parseEndpointId,
  parseName,
  parseNetworkId,
  parseNodeId,
  type Result,
  type Subnet,
  unwrap,
  Vni,
} from '@causeway/model';

/** Records are JSON objects. A field this version does not know came from a newer one and survives our rewrite. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [field: string]: Json;
}

export interface Decoded<Value> {
  readonly value: Value;
  /** The record as it was read, kept only when it has fields this version does not know. */
  readonly foreign?: JsonObject;
}

/** The cluster's own record. A manager that knows only an older schema must not write. */
export interface Meta {
  readonly clusterId: ClusterId;
  /** Rises when the store is restored from a backup. */
  readonly epoch: bigint;
  readonly schema: number;
}

/** Who leads, as the leader wrote it. */
export interface LeaderClaim {
  readonly name: string;
  /** Host:port of its gRPC service. */
  readonly address: string;
  /** Unix time, milliseconds. */
  readonly since: number;
  /** That the key ends with: by it another manager ends the term of a leader whose process is gone. Absent in older versions. */
  readonly lease?: bigint;
}

/** A manager that runs, as it says itself. */
export interface ManagerRecord {
  readonly name: string;
  /** Host:port of its gRPC service. */
  readonly address: string;
  readonly version: string;
  /** Name of the etcd member it supervises; empty: none. */
  readonly etcdMember: string;
  /** The newest schema of records it knows. */
  readonly schema: number;
}

/** A manager that was registered once, kept until it is removed. */
export interface KnownManager extends ManagerRecord {
  /** Unix time, milliseconds: when the leader saw that it was not registered any more; absent: it is, or no leader has looked. */
  readonly goneAt?: number;
}

/** A host with endpoints that managers have no session with. */
export interface Silence {
  /** When it fell silent, on the clock that runs while a manager leads. */
  readonly since: number;
}

/** How long managers have led so far: what silences are measured with, since nobody listens while none leads. */
export interface LedTime {
  readonly milliseconds: number;
}

export interface RecordCodec<Value> {
  encode(value: Value, foreign?: JsonObject): Uint8Array;
  decode(bytes: Uint8Array): Result<Decoded<Value>, CausewayError>;
}

export const networkCodec: RecordCodec<Network> = recordCodec(networkToJson, networkFromJson);
export const endpointCodec: RecordCodec<Endpoint> = recordCodec(endpointToJson, endpointFromJson);

export const nodeCodec: RecordCodec<Node> = recordCodec(
  (node, foreign) => ({
    ...without(foreign, 'hostRoutes', 'labels', 'createdAt'),
    id: node.id,
    name: node.name,
    dataPath: node.dataPath,
    underlayMtu: node.underlayMtu,
    version: node.version,
    ...(node.hostRoutes !== undefined && { hostRoutes: node.hostRoutes }),
    ...(node.labels !== undefined && { labels: node.labels }),
    ...createdToJson(node),
  }),
  (json) => ({
    id: unwrap(parseNodeId(text(json, 'id'))),
    name: unwrap(parseName(text(json, 'name'))),
    dataPath: Ip(text(json, 'dataPath')),
    underlayMtu: number(json, 'underlayMtu'),
    version: text(json, 'version'),
    ...(json['hostRoutes'] !== undefined && {
      hostRoutes: list(json, 'hostRoutes').map((route) => Prefix(String(route))),
    }),
    ...(json['labels'] !== undefined && { labels: labelsFromJson(json['labels']) }),
    ...createdFromJson(json),
  }),
);

export const metaCodec: RecordCodec<Meta> = recordCodec(
  (meta, foreign) => ({ ...foreign, clusterId: meta.clusterId, epoch: Number(meta.epoch), schema: meta.schema }),
  (json) => ({
    clusterId: unwrap(parseClusterId(text(json, 'clusterId'))),
    epoch: BigInt(number(json, 'epoch')),
    schema: number(json, 'schema'),
  }),
);

export const leaderCodec: RecordCodec<LeaderClaim> = recordCodec(
  ({ name, address, since, lease }, foreign) => ({
    ...foreign,
    ...{ name, address, since },
    ...(lease !== undefined && { lease: `${lease}` }),
  }),
  (json) => ({
    ...{ name: text(json, 'name'), address: text(json, 'address'), since: number(json, 'since') },
    ...(json['lease'] !== undefined && { lease: BigInt(text(json, 'lease')) }),
  }),
);

/** Of the versions whose record does not say. */
const firstSchema = 1;

export const managerCodec: RecordCodec<ManagerRecord> = recordCodec(
  ({ name, address, version, etcdMember, schema }, foreign) => ({
    ...foreign,
    ...{ name, address, version, etcdMember, schema },
  }),
  (json) => ({
    name: text(json, 'name'),
    address: text(json, 'address'),
    version: text(json, 'version'),
    etcdMember: text(json, 'etcdMember'),
    schema: json['schema'] === undefined ? firstSchema : number(json, 'schema'),
  }),
);

export const knownManagerCodec: RecordCodec<KnownManager> = recordCodec(
  ({ name, address, version, etcdMember, schema, goneAt }, foreign) => ({
    ...without(foreign, 'goneAt'),
    ...{ name, address, version, etcdMember, schema },
    ...(goneAt !== undefined && { goneAt }),
  }),
  (json) => ({
    name: text(json, 'name'),
    address: text(json, 'address'),
    version: text(json, 'version'),
    etcdMember: text(json, 'etcdMember'),
    schema: number(json, 'schema'),
    ...(json['goneAt'] !== undefined && { goneAt: number(json, 'goneAt') }),
  }),
);

export const silenceCodec: RecordCodec<Silence> = recordCodec(
  ({ since }, foreign) => ({ ...foreign, since }),
  (json) => ({ since: number(json, 'since') }),
);

export const ledTimeCodec: RecordCodec<LedTime> = recordCodec(
  ({ milliseconds }, foreign) => ({ ...foreign, milliseconds }),
  (json) => ({ milliseconds: number(json, 'milliseconds') }),
);

export function networkToJson(network: Network, foreign?: JsonObject): JsonObject {
  return {
    ...without(foreign, 'createdAt'),
    id: network.id,
    name: network.name,
    addressSpace: network.addressSpace,
    driver: network.driver,
    internal: network.internal,
    vni: network.vni,
    mtu: mtuToJson(network.mtu, object(foreign?.['mtu'])),
    subnets: network.subnets.map((subnet) => subnetToJson(subnet, foreign)),
    labels: network.labels,
    ...createdToJson(network),
  };
}

export function networkFromJson(json: JsonObject): Network {
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
    ...createdFromJson(json),
  };
}

export function endpointToJson(endpoint: Endpoint, foreign?: JsonObject): JsonObject {
  return {
    ...without(foreign, 'labels', 'createdAt'),
    id: endpoint.id,
    network: endpoint.network,
    name: endpoint.name,
    node: endpoint.node,
    addresses: endpoint.addresses,
    mac: endpoint.mac,
    ...(endpoint.labels !== undefined && { labels: endpoint.labels }),
    ...createdToJson(endpoint),
  };
}

export function endpointFromJson(json: JsonObject): Endpoint {
  return {
    id: unwrap(parseEndpointId(text(json, 'id'))),
    network: unwrap(parseNetworkId(text(json, 'network'))),
    name: unwrap(parseName(text(json, 'name'))),
    node: unwrap(parseNodeId(text(json, 'node'))),
    addresses: list(json, 'addresses').map((item) => InterfaceAddress(String(item))),
    mac: Mac(text(json, 'mac')),
    ...(json['labels'] !== undefined && { labels: labelsFromJson(json['labels']) }),
    ...createdFromJson(json),
  };
}

function createdToJson({ createdAt }: { readonly createdAt?: number }): JsonObject {
  return createdAt === undefined ? {} : { createdAt };
}

function createdFromJson(json: JsonObject): { readonly createdAt?: number } {
  return json['createdAt'] === undefined ? {} : { createdAt: number(json, 'createdAt') };
}

function mtuToJson({ kind, bytes, highest }: Mtu, foreign: JsonObject): JsonObject {
  return { ...without(foreign, 'highest'), kind, bytes, ...(highest !== undefined && { highest }) };
}

/** A subnet is known again by its prefix; what it had of ours and has no more is ours to drop, not foreign. */
function subnetToJson({ prefix, gateway, ranges, auxAddresses }: Subnet, foreign: JsonObject | undefined): JsonObject {
  const before = foreign === undefined ? undefined : list(foreign, 'subnets').map(object);
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

/** A field of ours that is absent must not come back as a foreign one. */
function without(json: JsonObject | undefined, ...fields: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(json ?? {}).filter(([name]) => !fields.includes(name)));
}

function labelsFromJson(json: Json | undefined): Labels {
  return mapValues(object(json), (value) => (typeof value === 'string' ? value : ''));
}

/** Records from before there was a choice say nothing. */
function driverFromJson(json: Json | undefined): Driver {
  if (json === undefined || json === 'overlay') return 'overlay';
  throw new TypeError(`driver ${JSON.stringify(json)} is not known to this version`);
}

function mapValues<Value>(json: JsonObject, read: (value: Json) => Value): Readonly<Record<string, Value>> {
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, read(value)]));
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodeText(value: string): Uint8Array {
  return encoder.encode(value);
}

export function decodeText(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

function recordCodec<Value>(
  toJson: (value: Value, foreign?: JsonObject) => JsonObject,
  fromJson: (json: JsonObject) => Value,
): RecordCodec<Value> {
  return {
    encode: (value, foreign) => encodeText(JSON.stringify(toJson(value, foreign))),
    decode: (bytes) => {
      try {
        const source = decodeText(bytes);
        const json = object(JSON.parse(source) as Json);
        const value = fromJson(json);
        return ok(JSON.stringify(toJson(value)) === source ? { value } : { value, foreign: json });
      } catch (cause) {
        if (!isCausewayError(cause) && !(cause instanceof TypeError) && !(cause instanceof SyntaxError)) throw cause;
        return fail(new CausewayError('internal', `unreadable record: ${cause.message}`, {}, { cause }));
      }
    },
  };
}

export function object(json: Json | undefined): JsonObject {
  return typeof json === 'object' && json !== null && !isList(json) ? json : {};
}

function isList(json: Json): json is readonly Json[] {
  return Array.isArray(json);
}

export function text(json: JsonObject, field: string): string {
  const value = json[field];
  if (typeof value !== 'string') throw new TypeError(`"${field}" is not text`);
  return value;
}

export function number(json: JsonObject, field: string): number {
  const value = json[field];
  if (typeof value !== 'number') throw new TypeError(`"${field}" is not a number`);
  return value;
}

function list(json: JsonObject, field: string): readonly Json[] {
  const value = json[field];
  if (value === undefined || !isList(value)) throw new TypeError(`"${field}" is not a list`);
  return value;
}
