import {
  type EndpointId,
  type Ip,
  type Mac,
  type Name,
  type NetworkId,
  type NodeId,
  type Prefix,
  parseEndpointId,
  parseIp,
  parseMac,
  parseName,
  parseNetworkId,
  parseNodeId,
  parsePrefix,
  parseRequestId,
  parseVni,
  type RequestId,
  type Result,
  type Vni,
} from '@causeway/model';

export const defaultPrefix = '/causeway/v1/';

/** Keys that are one of a kind. */
const singles = ['meta', 'leader', 'led-time', 'event-mark', 'recovery'] as const;

/** What a key of ours stands for. Records hold a value; claims hold who has the thing; a request holds its outcome. */
export type StoreKey =
  | { readonly kind: 'manager'; readonly name: Name }
  | { readonly kind: 'known-manager'; readonly name: Name }
  | { readonly kind: (typeof singles)[number] }
  | { readonly kind: 'node'; readonly id: NodeId }
  | { readonly kind: 'node-name'; readonly name: Name }
  | { readonly kind: 'node-silent'; readonly id: NodeId }
  | { readonly kind: 'network'; readonly id: NetworkId }
  | { readonly kind: 'network-name'; readonly name: Name }
  | { readonly kind: 'pool'; readonly space: Name; readonly prefix: Prefix }
  | { readonly kind: 'vni'; readonly vni: Vni }
  | { readonly kind: 'addr'; readonly network: NetworkId; readonly ip: Ip }
  | { readonly kind: 'mac'; readonly network: NetworkId; readonly mac: Mac }
  | { readonly kind: 'endpoint'; readonly network: NetworkId; readonly id: EndpointId }
  | { readonly kind: 'endpoint-name'; readonly network: NetworkId; readonly name: Name }
  | { readonly kind: 'req'; readonly id: RequestId };

export interface EventsKey {
  readonly time: number;
  readonly index: number;
  /** Of the events there. */
  readonly count: number;
}

/** The key space under one prefix, both ways: thing -> key and key -> thing. */
export class Keys {
  readonly prefix: string;
  readonly meta: string;
  readonly leader: string;
  readonly recovery: string;
  readonly ledTime: string;
  /** Changed with every transaction that has nothing but events, so that views see that the store has moved. */
  readonly eventMark: string;
  /** The revision up to which events are not kept any more. */
  readonly eventHorizon: string;
  /**
   * All events, one key a transaction, in the order they were written. They stand beside the prefix, not under it: there
   * are far more of them than of anything else, and no view wants them.
   */
  readonly events: string;

  /** The prefix ends in "/", so that no key of another cluster can begin with it. */
  constructor(prefix: string = defaultPrefix) {
    this.prefix = prefix;
    this.meta = `${prefix}meta`;
    this.leader = `${prefix}leader`;
    this.recovery = `${prefix}recovery`;
    this.eventMark = `${prefix}event-mark`;
    this.ledTime = `${prefix}led-time`;
    this.eventHorizon = `${prefix}event-horizon`;
    this.events = `${prefix.slice(0, -1)}-events/`;
  }

  /** Greater than every key of an event, and less than any other key after those. */
  get eventsEnd(): string {
    return `${this.events.slice(0, -1)}0`; // "0" is the character after "/"
  }

  /** Where a record of events may stand: a time in Unix milliseconds, and a number among those of one millisecond. */
  placeForEvents(time: number, index = 0): string {
    return `${this.events}${String(time).padStart(13, '0')}-${index.toString(16).padStart(4, '0')}`;
  }

  /** Of a record with so many events: who only counts them needs no values. */
  eventsAt(place: string, count: number): string {
    return `${place}-${count}`;
  }

  /** Of a place, or of a key at one. */
  parseEvents(key: string): EventsKey | undefined {
    const [, time, index, count = '0'] =
      /^(\d{13})-([0-9a-f]{4})(?:-(\d+))?$/.exec(key.slice(this.events.length)) ?? [];
    if (time === undefined || index === undefined) return undefined;
    return { time: Number(time), index: parseInt(index, 16), count: Number(count) };
  }

  get managers(): string {
    return `${this.prefix}manager/`;
  }

  manager(name: Name): string {
    return `${this.managers}${name}`;
  }

  get knownManagers(): string {
    return `${this.prefix}known-manager/`;
  }

  knownManager(name: Name): string {
    return `${this.knownManagers}${name}`;
  }

  node(id: NodeId): string {
    return `${this.prefix}node/${id}`;
  }

  nodeName(name: Name): string {
    return `${this.prefix}node-name/${name}`;
  }

  nodeSilent(id: NodeId): string {
    return `${this.prefix}node-silent/${id}`;
  }

  network(id: NetworkId): string {
    return `${this.prefix}network/${id}`;
  }

  networkName(name: Name): string {
    return `${this.prefix}network-name/${name}`;
  }

  pools(space: Name): string {
    return `${this.prefix}pool/${space}/`;
  }

  pool(space: Name, prefix: Prefix): string {
    return `${this.pools(space)}${prefix.replace('/', '_')}`;
  }

  vni(vni: Vni): string {
    return `${this.prefix}vni/${vni}`;
  }

  addresses(network: NetworkId): string {
    return `${this.prefix}addr/${network}/`;
  }

  address(network: NetworkId, ip: Ip): string {
    return `${this.addresses(network)}${ip}`;
  }

  mac(network: NetworkId, mac: Mac): string {
    return `${this.prefix}mac/${network}/${mac}`;
  }

  endpoints(network: NetworkId): string {
    return `${this.prefix}endpoint/${network}/`;
  }

  endpoint(network: NetworkId, id: EndpointId): string {
    return `${this.endpoints(network)}${id}`;
  }

  endpointName(network: NetworkId, name: Name): string {
    return `${this.prefix}endpoint-name/${network}/${name}`;
  }

  request(id: RequestId): string {
    return `${this.prefix}req/${id}`;
  }

  /** Undefined for a key that is not ours, or that only a newer version knows. */
  parse(key: string): StoreKey | undefined {
    if (!key.startsWith(this.prefix)) return undefined;
    const [kind, first, second, ...more] = key.slice(this.prefix.length).split('/');
    if (kind === undefined || more.length > 0) return undefined;
    if (first === undefined) return isSingle(kind) ? { kind } : undefined;
    return second === undefined ? parseShort(kind, first) : parseLong(kind, first, second);
  }
}

function isSingle(kind: string): kind is (typeof singles)[number] {
  return (singles as readonly string[]).includes(kind);
}

function parseShort(kind: string, part: string): StoreKey | undefined {
  switch (kind) {
    case 'manager':
    case 'known-manager':
      return whenParsed(parseName(part), (name) => ({ kind, name }));
    case 'node':
      return whenParsed(parseNodeId(part), (id) => ({ kind, id }));
    case 'node-name':
      return whenParsed(parseName(part), (name) => ({ kind, name }));
    case 'node-silent':
      return whenParsed(parseNodeId(part), (id) => ({ kind, id }));
    case 'network':
      return whenParsed(parseNetworkId(part), (id) => ({ kind, id }));
    case 'network-name':
      return whenParsed(parseName(part), (name) => ({ kind, name }));
    case 'vni':
      return whenParsed(parseVni(Number(part)), (vni) => ({ kind, vni }));
    case 'req':
      return whenParsed(parseRequestId(part), (id) => ({ kind, id }));
    default:
      return undefined;
  }
}

function parseLong(kind: string, scope: string, part: string): StoreKey | undefined {
  if (kind === 'pool') {
    const space = parseName(scope);
    return space.ok
      ? whenParsed(parsePrefix(part.replace('_', '/')), (prefix) => ({ kind, space: space.value, prefix }))
      : undefined;
  }
  const parsed = parseNetworkId(scope);
  if (!parsed.ok) return undefined;
  const network = parsed.value;
  switch (kind) {
    case 'addr':
      return whenParsed(parseIp(part), (ip) => ({ kind, network, ip }));
    case 'mac':
      return whenParsed(parseMac(part), (mac) => ({ kind, network, mac }));
    case 'endpoint':
      return whenParsed(parseEndpointId(part), (id) => ({ kind, network, id }));
    case 'endpoint-name':
      return whenParsed(parseName(part), (name) => ({ kind, network, name }));
    default:
      return undefined;
  }
}

function whenParsed<Value>(parsed: Result<Value, unknown>, make: (value: Value) => StoreKey): StoreKey | undefined {
  return parsed.ok ? make(parsed.value) : undefined;
}
