import {
  addressOf,
  CausewayError,
  clip,
  fail,
  type NodeId,
  ok,
  parseIp,
  parseMac,
  parsePrefix,
  type Result,
} from '@causeway/model';
import type { EndpointItem, NetworkItem, NodeItem } from './object-caches.ts';
import type { Fields } from './selection.ts';

/* docs/protocol.md lists them. */

export const networkFields: Fields<NetworkItem> = {
  id: { values: ({ value }) => [value.id] },
  name: { values: ({ value }) => [value.name] },
  driver: { values: ({ value }) => [value.driver] },
  internal: { values: ({ value }) => [`${value.internal}`], parse: parseBoolean },
  vni: { values: ({ value }) => [`${value.vni}`], parse: parseNumber },
  mtu: { values: ({ value }) => [`${value.mtu.bytes}`], parse: parseNumber },
  address_space: { values: ({ value }) => [value.addressSpace] },
  subnet: { values: ({ value }) => value.subnets.map(({ prefix }) => prefix), parse: parsePrefix },
};

export const endpointFields: Fields<EndpointItem> = {
  id: { values: ({ value }) => [value.id] },
  name: { values: ({ value }) => [value.name] },
  network: { values: ({ value, names }) => [names.network, value.network] },
  host: { values: ({ value, names }) => [names.host, value.node] },
  address: { values: ({ value }) => value.addresses.map(addressOf), parse: parseIp },
  mac: { values: ({ value }) => [value.mac], parse: parseMac },
};

export function nodeFields(isReady: (node: NodeId) => boolean): Fields<NodeItem> {
  return {
    id: { values: ({ value }) => [value.id] },
    name: { values: ({ value }) => [value.name] },
    data_path: { values: ({ value }) => [value.dataPath], parse: parseIp },
    underlay_mtu: { values: ({ value }) => [`${value.underlayMtu}`], parse: parseNumber },
    version: { values: ({ value }) => [value.version] },
    ready: { values: ({ value }) => [`${isReady(value.id)}`], parse: parseBoolean, transient: true },
  };
}

function parseBoolean(text: string): Result<string, CausewayError> {
  return text === 'true' || text === 'false' ? ok(text) : fail(refuse(text, 'true or false'));
}

function parseNumber(text: string): Result<string, CausewayError> {
  return /^(0|[1-9]\d{0,14})$/.test(text) ? ok(text) : fail(refuse(text, 'a whole number'));
}

function refuse(text: string, expected: string): CausewayError {
  return new CausewayError('invalid-argument', `"${clip(text)}" is not ${expected}`, { value: clip(text) });
}
