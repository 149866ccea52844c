import {
  CausewayError,
  type Endpoint,
  type EndpointId,
  type EndpointRow,
  type ErrorCode,
  errorKinds,
  formatRefusal,
  InterfaceAddress,
  Ip,
  Mac,
  type Name,
  type Network,
  type NetworkId,
  type Node,
  type NodeId,
  Prefix,
  type UnknownDriver,
  type UnknownNetwork,
  Vni,
} from '@causeway/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isNoAnswer, mostUseful, refusalIn } from '../failover/failure.ts';
import { endpointFromMessage, endpointRows, endpointToMessage } from './endpoint.ts';
import { errorFromWire, errorToWire } from './error.ts';
import { networkFromMessage, networkToMessage } from './network.ts';
import { nodeFromMessage, nodeToMessage } from './node.ts';

describe('nouns come back as they went', () => {
  const network: Network = {
    id: '00000000000000a1' as NetworkId,
    name: 'blue' as Name,
    addressSpace: 'default' as Name,
    driver: 'overlay',
    internal: false,
    vni: Vni(4096),
    mtu: { kind: 'automatic', bytes: 1450 },
    subnets: [
      { prefix: Prefix('10.66.0.0/16'), gateway: Ip('10.66.0.1') },
      {
        prefix: Prefix('fd66::/64'),
        ranges: [Prefix('fd66::8000:0/97')],
        auxAddresses: { dns: Ip('fd66::53') },
      },
    ],
    labels: { team: 'a' },
  };
  const row: EndpointRow = {
    id: '00000000000000e1' as EndpointId,
    name: 'web' as Name,
    node: '00000000000000b1' as NodeId,
    addresses: [InterfaceAddress('10.66.0.9/16'), InterfaceAddress('fd66::9/64')],
    mac: Mac('02:42:0a:42:00:09'),
    vtep: Ip('10.90.0.2'),
  };
  it('networks', () => expect(networkFromMessage(networkToMessage(network, 7n))).toEqual(network));
  it.each([0, 7])('networks of a driver that only a later version knows, sent with VNI %d', (sentVni) => {
    const { vni: _, ...common } = network;
    const unknown: UnknownNetwork = { ...common, driver: 'macvlan' as UnknownDriver, sentVni };
    expect(networkFromMessage(networkToMessage(unknown, 7n))).toEqual(unknown);
  });
  it.each([undefined, { tier: 'web' }])('endpoints with labels %j', (labels) => {
    const { vtep: _, ...rest } = row;
    const endpoint: Endpoint = { ...rest, network: network.id, ...(labels !== undefined && { labels }) };
    expect(endpointFromMessage(endpointToMessage(endpoint, { network: 'blue', host: 'h1' }, 7n))).toEqual(endpoint);
  });
  it.each([undefined, { zone: 'a' }])('nodes with labels %j', (labels) => {
    const { node: id } = row;
    const node: Node = { id, name: 'h1' as Name, dataPath: Ip('10.0.0.1'), underlayMtu: 1500, version: '1' };
    const labelled = { ...node, ...(labels !== undefined && { labels }) };
    expect(nodeFromMessage(nodeToMessage(labelled, 7n))).toEqual(labelled);
  });
  it('a node that needs ESP in UDP', () => {
    const { node: id } = row;
    const node: Node = { id, name: 'h1' as Name, dataPath: Ip('10.0.0.1'), underlayMtu: 1500, version: '1' };
    expect(nodeFromMessage(nodeToMessage({ ...node, encapPort: 14_500 }, 7n))).toEqual({ ...node, encapPort: 14_500 });
  });
  it('rows of endpoints', () => expect(endpointRows.fromMessage(endpointRows.toMessage(row))).toEqual(row));
  it('a node that does not parse is refused by field', () => {
    const message = {
      hostRoutes: [],
      labels: {},
      conditions: [],
      id: 'x',
      name: 'h1',
      dataPath: '10.0.0.1',
      underlayMtu: 1500,
      version: '',
      ready: false,
      endpoints: 0,
      networks: 0,
      repairs: 0n,
      revision: 0n,
      createdAtMs: 0n,
      drained: false,
      encapPort: 0,
    };
    const routes = ['10.0.0.0/8', 'fd00::/8'];
    expect(nodeFromMessage({ ...message, id: '00000000000000b1', hostRoutes: routes }).hostRoutes).toEqual(routes);
    expect(() => nodeFromMessage(message)).toThrow(/node id/);
    expect(() => nodeFromMessage({ ...message, id: '00000000000000b1', dataPath: 'nowhere' })).toThrow(
      /not an IPv4 or IPv6 address/,
    );
  });
});

describe('errors on the wire', () => {
  it.each(Object.keys(errorKinds) as ErrorCode[])('%s keeps code, message and data', (code) => {
    const wire = errorToWire(new CausewayError(code, 'what would be right', { field: 'subnet' }));
    const back = errorFromWire(wire.code, wire.message, wire.details);
    expect([back.code, back.message, back.data]).toEqual([code, 'what would be right', { field: 'subnet' }]);
  });

  it('an error that is not a CausewayError reveals nothing', () => {
    expect(errorToWire(new Error('password is hunter2'))).toMatchObject({
      code: 13,
      message: 'internal error, see the log of the server',
    });
  });

  it('silence on another connection is passed on as an answer', () => {
    const silent = errorFromWire(14, 'connect ECONNREFUSED 10.0.0.1:7443', undefined);
    const { code, message, details } = errorToWire(silent);
    const relayed = errorFromWire(code, message, details);
    expect(relayed).toMatchObject({ code: 'manager-unavailable', message: 'connect ECONNREFUSED 10.0.0.1:7443' });
    expect([isNoAnswer(silent), isNoAnswer(relayed)]).toEqual([true, false]);
  });

  it('a server that the client itself has refused is one without an answer, and the reason is kept', () => {
    const refusal = new CausewayError('certificate-expired', 'the certificate of manager/m1 expired');
    const text = `No connection established. Last error: Error: ${formatRefusal(refusal)}. Resolution note: `;
    const error = errorFromWire(14, text, undefined);
    expect(error).toMatchObject({ code: 'manager-unavailable', message: refusal.message });
    expect(refusalIn(error)).toMatchObject({ code: refusal.code, message: refusal.message });
    const closed = errorFromWire(14, 'connect ECONNREFUSED 10.0.0.1:7443', undefined);
    expect(refusalIn(closed)).toBeUndefined();
    const silent = errorFromWire(4, 'deadline exceeded', undefined);
    expect(mostUseful([closed, silent, error])).toBe(error);
  });

  it('a status without our detail becomes the nearest of ours, whatever the bytes', () => {
    expect(errorFromWire(14, 'connection refused', undefined).code).toBe('manager-unavailable');
    expect(errorFromWire(4, 'deadline exceeded', undefined).code).toBe('timed-out');
    fc.assert(
      fc.property(fc.uint8Array(), (details) => {
        const error = errorFromWire(2, 'x', details);
        expect(error).toBeInstanceOf(CausewayError);
        expect(error).toMatchObject(errorFromWire(2, 'x', undefined));
      }),
    );
  });
});
