import {
  type EndpointId,
  InterfaceAddress,
  Ip,
  Mac,
  type Name,
  type Network,
  type NetworkId,
  type NodeId,
  Prefix,
  Vni,
} from '@causeway/model';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeText, endpointCodec, leaderCodec, metaCodec, networkCodec } from './codec.ts';
import { Keys } from './keys.ts';
import type { KeyValue, StoreEvent } from './store.ts';
import { View, type ViewChange } from './view.ts';

const keys = new Keys();
const hex = (n: number): string => n.toString(16).padStart(16, '0');
const node = (n: number) => hex(n) as NodeId;

function network(n: number, name: string): Network {
  return {
    id: hex(n) as NetworkId,
    name: name as Name,
    addressSpace: 'default' as Name,
    driver: 'overlay',
    internal: false,
    vni: Vni(4096 + n),
    mtu: { kind: 'fixed', bytes: 1450 },
    subnets: [{ prefix: Prefix('10.66.0.0/16') }],
    labels: {},
  };
}

function endpoint(n: number, on: number, name: string, host: number) {
  return {
    id: hex(n) as EndpointId,
    network: hex(on) as NetworkId,
    name: name as Name,
    node: node(host),
    addresses: [InterfaceAddress(`10.66.0.${n}/16`)],
    mac: Mac('02:42:0a:42:00:02'),
  };
}

function put(key: string, value: Uint8Array, revision: bigint): KeyValue {
  return { key, value, createRevision: revision, modRevision: revision };
}

/** A view with two networks that both have an endpoint "web", on different hosts. */
function twoNetworks(): View {
  const view = new View();
  const records: [string, Uint8Array][] = [
    [keys.meta, metaCodec.encode({ clusterId: hex(0xc) as never, epoch: 1n, schema: 1 })],
    [keys.network(network(1, 'blue').id), networkCodec.encode(network(1, 'blue'))],
    [keys.network(network(2, 'green').id), networkCodec.encode(network(2, 'green'))],
    ...[endpoint(11, 1, 'web', 1), endpoint(12, 2, 'web', 2), endpoint(13, 1, 'db', 2)].map(
      (record): [string, Uint8Array] => [keys.endpoint(record.network, record.id), endpointCodec.encode(record)],
    ),
  ];
  view.apply({ kind: 'snapshot', revision: 9n, kvs: records.map(([key, value], i) => put(key, value, BigInt(i + 1))) });
  return view;
}

describe('View', () => {
  test('finds by id, by name and by NETWORK/NAME', () => {
    const view = twoNetworks();
    expect(view.cluster).toEqual({ id: hex(0xc), epoch: 1n, schema: 1, revision: 1n });
    expect(view.findNetwork('blue').value.id).toBe(hex(1));
    expect(view.findNetwork(hex(2)).value.name).toBe('green');
    expect(view.findEndpoint('db').value.id).toBe(hex(13));
    expect(view.findEndpoint('green/web').value.id).toBe(hex(12));
    expect(view.findEndpoint(hex(11)).revision).toBe(4n);
  });

  test.each([
    { what: 'network', find: (view: View) => view.findNetwork('grey'), code: 'network-unknown', says: /"grey"/ },
    { what: 'node', find: (view: View) => view.findNode('h9'), code: 'node-unknown', says: /"h9"/ },
    { what: 'endpoint', find: (view: View) => view.findEndpoint('x'), code: 'endpoint-unknown', says: /"x"/ },
    {
      what: 'endpoint in a network',
      find: (view: View) => view.findEndpoint('green/db'),
      code: 'endpoint-unknown',
      says: /green\/db/,
    },
    {
      what: 'endpoint in no network',
      find: (view: View) => view.findEndpoint('grey/db'),
      code: 'network-unknown',
      says: /grey/,
    },
    {
      what: 'ambiguous endpoint',
      find: (view: View) => view.findEndpoint('web'),
      code: 'name-ambiguous',
      says: /blue\/web or green\/web/,
    },
  ])('says what is wrong: $what', ({ find, code, says }) => {
    expect(() => find(twoNetworks())).toThrow(expect.objectContaining({ code, message: expect.stringMatching(says) }));
  });

  test('knows where endpoints are', () => {
    const view = twoNetworks();
    expect([...view.endpointsOf(hex(1) as NetworkId).keys()]).toEqual([hex(11), hex(13)]);
    expect([...view.endpointsOn(node(2))]).toEqual([hex(12), hex(13)]);
    expect([...view.networksOn(node(2))]).toEqual([hex(2), hex(1)]);
    view.apply({
      kind: 'events',
      revision: 10n,
      events: [{ kind: 'delete', key: keys.endpoint(hex(1) as NetworkId, hex(13) as EndpointId), modRevision: 10n }],
    });
    expect([...view.networksOn(node(2))]).toEqual([hex(2)]);
    expect(view.endpointCount).toBe(2);
  });

  test('tells changes with before and after, once all of them are in', () => {
    const view = twoNetworks();
    const told: ViewChange[] = [];
    let seenInside: bigint | undefined;
    view.subscribe((changes) => {
      told.push(...changes);
      seenInside = view.revision;
    });
    const renamed = { ...network(1, 'navy') };
    const events: StoreEvent[] = [
      { kind: 'put', kv: put(keys.network(renamed.id), networkCodec.encode(renamed), 10n) },
      {
        kind: 'put',
        kv: put(keys.leader, leaderCodec.encode({ name: 'm1', address: '192.0.2.1:7443', since: 5 }), 10n),
      },
    ];
    view.apply({ kind: 'events', revision: 10n, events });
    expect(seenInside).toBe(10n);
    expect(told).toMatchObject([
      { kind: 'network', before: { value: { name: 'blue' } }, after: { value: { name: 'navy' }, revision: 10n } },
      { kind: 'leader', leader: { name: 'm1', address: '192.0.2.1:7443', since: 5, term: 10n } },
    ]);
    expect(() => view.findNetwork('blue')).toThrow();
  });

  test('waits for a revision; gives up with its signal', async () => {
    const view = twoNetworks();
    const abort = new AbortController();
    const reached = view.waitFor(11n);
    const given = expect(view.waitFor(99n, abort.signal)).rejects.toMatchObject({ code: 'timed-out' });
    view.apply({ kind: 'progress', revision: 11n });
    await reached;
    abort.abort();
    await given;
    await expect(view.waitFor(99n, abort.signal)).rejects.toMatchObject({ code: 'timed-out' });
    await view.waitFor(3n, abort.signal);
  });

  test('an unreadable record is put aside, what was known of it stands', () => {
    const view = twoNetworks();
    const key = keys.network(hex(1) as NetworkId);
    view.apply({ kind: 'events', revision: 10n, events: [{ kind: 'put', kv: put(key, encodeText('{"id":7}'), 10n) }] });
    expect(view.damaged.get(key)?.message).toMatch(/unreadable record/);
    expect(view.findNetwork('blue').revision).toBe(2n);
    view.apply({ kind: 'events', revision: 11n, events: [{ kind: 'delete', key, modRevision: 11n }] });
    expect(view.damaged.size).toBe(0);
    expect(view.networks.size).toBe(1);
  });

  test('what one listener does wrong does not keep a change from the others', () => {
    const view = twoNetworks();
    let heard = 0;
    view.subscribe(() => {
      throw new Error('mine');
    });
    view.subscribe(() => heard++);
    expect(() => view.apply({ kind: 'snapshot', revision: 12n, kvs: [] })).toThrow(AggregateError);
    expect(heard).toBe(1);
    expect(view.revision).toBe(12n);
  });

  test('events and a snapshot lead to the same view', () => {
    const step = fc.record({
      put: fc.boolean(),
      n: fc.nat(5),
      on: fc.nat(2),
      name: fc.constantFrom('a', 'b', 'c'),
      host: fc.nat(2),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const stepped = new View();
        const content = new Map<string, KeyValue>();
        stepped.apply({ kind: 'snapshot', revision: 1n, kvs: [] });
        for (const [i, { put: isPut, n, on, name, host }] of steps.entries()) {
          const revision = BigInt(i + 2);
          const record = endpoint(n, on, `${name}${n}`, host);
          const kv = put(keys.endpoint(hex(on) as NetworkId, record.id), endpointCodec.encode(record), revision);
          const other = [...content.keys()].some((key) => key.endsWith(record.id) && key !== kv.key);
          if (other) continue; // an id is of one network
          if (isPut) content.set(kv.key, kv);
          else content.delete(kv.key);
          const event: StoreEvent = isPut
            ? { kind: 'put', kv }
            : { kind: 'delete', key: kv.key, modRevision: revision };
          stepped.apply({ kind: 'events', revision, events: [event] });
        }
        const whole = new View();
        whole.apply({ kind: 'snapshot', revision: stepped.revision, kvs: [...content.values()] });
        expect(shape(stepped)).toEqual(shape(whole));
      }),
    );
  });
});

/** All that can be asked of a view about endpoints, in one order. */
function shape(view: View): unknown {
  const hosts = [0, 1, 2].map((n) => [[...view.endpointsOn(node(n))].sort(), [...view.networksOn(node(n))].sort()]);
  const networks = [0, 1, 2].map((n) =>
    [...view.endpointsOf(hex(n) as NetworkId)].sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  const names = [0, 1, 2].flatMap((n) =>
    ['a', 'b', 'c'].flatMap((name) =>
      [0, 1, 2, 3, 4, 5].map((i) => view.endpointNamed(hex(n) as NetworkId, `${name}${i}` as Name)?.value),
    ),
  );
  return { hosts, networks, names, count: view.endpointCount };
}

describe('Keys', () => {
  test.each([
    keys.meta,
    keys.leader,
    keys.node(node(1)),
    keys.ledTime,
    keys.manager('m1' as Name),
    keys.knownManager('m1' as Name),
    keys.nodeName('h1' as Name),
    keys.nodeSilent(node(1)),
    keys.network(hex(1) as NetworkId),
    keys.networkName('blue' as Name),
    keys.pool('default' as Name, Prefix('fd66::/64')),
    keys.vni(Vni(4096)),
    keys.address(hex(1) as NetworkId, Ip('fd66::9')),
    keys.mac(hex(1) as NetworkId, Mac('02:43:00:00:00:09')),
    keys.endpoint(hex(1) as NetworkId, hex(2) as EndpointId),
    keys.endpointName(hex(1) as NetworkId, 'web' as Name),
    keys.request('00000000-0000-4000-8000-000000000000' as never),
  ])('%s is read as what it was made from', (key) => {
    const parsed = keys.parse(key);
    expect(parsed).toBeDefined();
    expect(key).toContain(`/${parsed?.kind}`);
    expect(Object.values(parsed ?? {}).every((part) => key.includes(String(part).replace('/', '_')))).toBe(true);
  });

  test.each([
    '/other/v1/meta',
    '/causeway/v1/',
    '/causeway/v1/future/1',
    '/causeway/v1/addr/1/2/3',
    '/causeway/v1/addr/x/10.0.0.1',
    '/causeway/v1/vni/x',
    '/causeway/v1/meta/x',
  ])('foreign: %s', (key) => expect(keys.parse(key)).toBeUndefined());
});
