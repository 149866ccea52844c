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
  type RequestId,
  Vni,
} from '@causeway/model';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createKeys } from './keys.ts';
import { encodeText } from './records/codec.ts';
import { records, type StoreKey } from './records/index.ts';
import type { KeyValue, StoreEvent } from './store.ts';
import { View, type ViewChange } from './view.ts';

const keys = createKeys();
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
  const values: [string, Uint8Array][] = [
    [keys.meta, records.meta.codec.encode({ clusterId: hex(0xc) as never, epoch: 1n, schema: 1 })],
    [keys.network(network(1, 'blue').id), records.network.codec.encode(network(1, 'blue'))],
    [keys.network(network(2, 'green').id), records.network.codec.encode(network(2, 'green'))],
    ...[endpoint(11, 1, 'web', 1), endpoint(12, 2, 'web', 2), endpoint(13, 1, 'db', 2)].map(
      (record): [string, Uint8Array] => [
        keys.endpoint(record.network, record.id),
        records.endpoint.codec.encode(record),
      ],
    ),
  ];
  view.apply({ kind: 'snapshot', revision: 9n, kvs: values.map(([key, value], i) => put(key, value, BigInt(i + 1))) });
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

  test('reports changes with their former and new values, after all of them are applied', () => {
    const view = twoNetworks();
    const received: ViewChange[] = [];
    let seenInside: bigint | undefined;
    view.subscribe((changes) => {
      received.push(...changes);
      seenInside = view.revision;
    });
    const renamed = { ...network(1, 'navy') };
    const events: StoreEvent[] = [
      { kind: 'put', kv: put(keys.network(renamed.id), records.network.codec.encode(renamed), 10n) },
      {
        kind: 'put',
        kv: put(keys.leader, records.leader.codec.encode({ name: 'm1', address: '192.0.2.1:7443', since: 5 }), 10n),
      },
    ];
    view.apply({ kind: 'events', revision: 10n, events });
    expect(seenInside).toBe(10n);
    expect(received).toMatchObject([
      { kind: 'network', before: { value: { name: 'blue' } }, after: { value: { name: 'navy' }, revision: 10n } },
      { kind: 'leader', after: { name: 'm1', address: '192.0.2.1:7443', since: 5, term: 10n } },
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
    let calls = 0;
    view.subscribe(() => {
      throw new Error('mine');
    });
    view.subscribe(() => calls++);
    expect(() => view.apply({ kind: 'snapshot', revision: 12n, kvs: [] })).toThrow(AggregateError);
    expect(calls).toBe(1);
    expect(view.revision).toBe(12n);
  });

  test('events and a snapshot lead to the same view, whatever the records are of', () => {
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), record), { minLength: 40, maxLength: 60 }), (steps) => {
        const stepped = new View();
        const content = new Map<string, KeyValue>();
        stepped.apply({ kind: 'snapshot', revision: 1n, kvs: [] });
        for (const [i, [isPut, { key, value }]] of steps.entries()) {
          const revision = BigInt(i + 2);
          const kind = keys.parse(key)?.kind ?? '';
          // An endpoint's id belongs to one network only.
          if (kind === 'endpoint' && [...content.keys()].some((of) => of !== key && of.endsWith(key.slice(-16))))
            continue;
          const before = content.get(key);
          if (isPut)
            content.set(key, { ...put(key, value, revision), createRevision: before?.createRevision ?? revision });
          else content.delete(key);
          const kv = content.get(key);
          const event: StoreEvent =
            kv === undefined ? { kind: 'delete', key, modRevision: revision } : { kind: 'put', kv };
          stepped.apply({ kind: 'events', revision, events: [event] });
          // Counts replaced and deleted records, not only new ones: there a trace of the former record could stay.
          if (before !== undefined) seen.set(kind, (seen.get(kind) ?? 0) + 1);
        }
        const whole = new View();
        whole.apply({ kind: 'snapshot', revision: stepped.revision, kvs: [...content.values()] });
        expect(shape(stepped)).toEqual(shape(whole));
      }),
      { numRuns: 100 },
    );
    const kinds = [
      'addr',
      'cluster',
      'endpoint',
      'event-mark',
      'known-manager',
      'leader',
      'led-time',
      'mac',
      'manager',
    ];
    expect([...seen.keys()].sort()).toEqual([...kinds, 'network', 'node', 'node-silent', 'recovery', 'vni']);
    for (const [kind, count] of seen) expect(count, kind).toBeGreaterThan(10);
  });
});

const small = fc.nat(2);
const name = fc.constantFrom('a' as Name, 'b' as Name);
const claim = fc.oneof(
  fc.record({
    kind: fc.constant('endpoint' as const),
    endpoint: small.map((n) => hex(n) as EndpointId),
    asked: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('cooling' as const), endpointName: name, node: small.map(node) }),
  fc.constant({ kind: 'gateway' as const }),
);
const manager = fc.record({
  ...{ name, address: fc.constantFrom('192.0.2.1:7443', '192.0.2.2:7443'), version: fc.constant('1') },
  ...{ etcdMember: fc.constant(''), schema: fc.constantFrom(1, 2) },
});

/** A record of any kind that a view keeps, with few ids and names, so that records refer to each other. */
const record: fc.Arbitrary<{ readonly key: string; readonly value: Uint8Array }> = fc.oneof(
  fc.constantFrom(1n, 2n).map((epoch) => ({
    key: keys.meta,
    value: records.meta.codec.encode({ clusterId: hex(0xc) as never, epoch, schema: 1 }),
  })),
  name.map((of) => ({ key: keys.leader, value: records.leader.codec.encode({ name: of, address: of, since: 5 }) })),
  manager.map((of) => ({ key: keys.manager(of.name), value: records.manager.codec.encode(of) })),
  manager.map((of) => ({
    key: keys.knownManager(of.name),
    value: records.knownManager.codec.encode({ ...of, goneAt: 7 }),
  })),
  fc.constant({ key: keys.recovery, value: encodeText('') }),
  fc.constantFrom('x', 'y').map((text) => ({ key: keys.eventMark, value: encodeText(text) })),
  small.map((milliseconds) => ({ key: keys.ledTime, value: records.ledTime.codec.encode({ milliseconds }) })),
  fc.tuple(small, name).map(([n, of]) => ({
    key: keys.network(hex(n) as NetworkId),
    value: records.network.codec.encode(network(n, `${of}${n}`)),
  })),
  fc.tuple(small, name).map(([n, of]) => ({
    key: keys.node(node(n)),
    value: records.node.codec.encode({
      ...{ id: node(n), name: `${of}${n}` as Name, dataPath: Ip('192.0.2.1'), underlayMtu: 1500, version: '1' },
    }),
  })),
  fc
    .tuple(small, small)
    .map(([n, since]) => ({ key: keys.nodeSilent(node(n)), value: records.nodeSilent.codec.encode({ since }) })),
  fc.tuple(fc.nat(5), small, name, small).map(([n, on, of, host]) => ({
    key: keys.endpoint(hex(on) as NetworkId, hex(n) as EndpointId),
    value: records.endpoint.codec.encode(endpoint(n, on, `${of}${n}`, host)),
  })),
  fc.tuple(small, small, claim).map(([on, n, of]) => ({
    key: keys.address(hex(on) as NetworkId, Ip(`10.66.0.${n}`)),
    value: records.address.codec.encode(of),
  })),
  fc.tuple(small, small, claim).map(([on, n, of]) => ({
    key: keys.mac(hex(on) as NetworkId, Mac(`02:42:0a:42:00:0${n}`)),
    value: records.address.codec.encode(of),
  })),
  fc.tuple(small, small).map(([n, on]) => ({ key: keys.vni(Vni(4096 + n)), value: encodeText(hex(on)) })),
);

/** Everything that a view returns, in a fixed order. */
function shape(view: View): unknown {
  const of = <Key, Value>(entries: Iterable<readonly [Key, Value]>): unknown =>
    [...entries].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  const ids = [0, 1, 2];
  const names = ['a', 'b'].flatMap((each) => [0, 1, 2, 3, 4, 5].map((n) => `${each}${n}` as Name));
  const onNetwork = (n: number): unknown => {
    const id = hex(n) as NetworkId;
    return {
      endpoints: of(view.endpointsOf(id)),
      named: names.map((each) => view.endpointNamed(id, each)),
      addresses: of(view.addressesOf(id)),
      macs: of(view.macsOf(id)),
      cooling: ['a', 'b'].map((each) => [...view.coolingFor(id, each as Name)].sort()),
    };
  };
  return {
    hosts: ids.map((n) => [[...view.endpointsOn(node(n))].sort(), [...view.networksOn(node(n))].sort()]),
    onNetworks: ids.map(onNetwork),
    single: [view.cluster, view.leader, view.eventMark, view.recovering, view.ledTime, view.endpointCount],
    managers: [of(view.managers), of(view.knownManagers)],
    networks: [of(view.networks), names.map((each) => view.networkNamed(each))],
    nodes: [of(view.nodes), names.map((each) => view.nodeNamed(each)), of(view.silences)],
    claims: [[...view.networksWithClaims()].sort(), of(view.vnis)],
    damaged: of(view.damaged),
  };
}

describe('Keys', () => {
  const [one, two] = [hex(1) as NetworkId, hex(2) as EndpointId];
  test.each<[string, string, StoreKey]>([
    [keys.meta, 'meta', { kind: 'cluster' }],
    [keys.leader, 'leader', { kind: 'leader' }],
    [keys.recovery, 'recovery', { kind: 'recovery' }],
    [keys.ledTime, 'led-time', { kind: 'led-time' }],
    [keys.node(node(1)), `node/${hex(1)}`, { kind: 'node', id: node(1) }],
    [keys.nodeName('h1' as Name), 'node-name/h1', { kind: 'node-name', name: 'h1' as Name }],
    [keys.nodeSilent(node(1)), `node-silent/${hex(1)}`, { kind: 'node-silent', id: node(1) }],
    [keys.manager('m1' as Name), 'manager/m1', { kind: 'manager', name: 'm1' as Name }],
    [keys.knownManager('m1' as Name), 'known-manager/m1', { kind: 'known-manager', name: 'm1' as Name }],
    [keys.network(one), `network/${one}`, { kind: 'network', id: one }],
    [keys.networkName('blue' as Name), 'network-name/blue', { kind: 'network-name', name: 'blue' as Name }],
    [
      keys.pool('default' as Name, Prefix('fd66::/64')),
      'pool/default/fd66::_64',
      { kind: 'pool', space: 'default' as Name, prefix: Prefix('fd66::/64') },
    ],
    [keys.vni(Vni(4096)), 'vni/4096', { kind: 'vni', vni: Vni(4096) }],
    [keys.address(one, Ip('fd66::9')), `addr/${one}/fd66::9`, { kind: 'addr', network: one, ip: Ip('fd66::9') }],
    [
      keys.mac(one, Mac('02:43:00:00:00:09')),
      `mac/${one}/02:43:00:00:00:09`,
      { kind: 'mac', network: one, mac: Mac('02:43:00:00:00:09') },
    ],
    [keys.endpoint(one, two), `endpoint/${one}/${two}`, { kind: 'endpoint', network: one, id: two }],
    [
      keys.endpointName(one, 'web' as Name),
      `endpoint-name/${one}/web`,
      { kind: 'endpoint-name', network: one, name: 'web' as Name },
    ],
    [
      keys.request('00000000-0000-4000-8000-000000000000' as RequestId),
      'req/00000000-0000-4000-8000-000000000000',
      { kind: 'req', id: '00000000-0000-4000-8000-000000000000' as RequestId },
    ],
  ])('%s is where it has always been, and read as what it was made from', (key, place, meaning) => {
    expect(key).toBe(`/causeway/v1/${place}`);
    expect(keys.parse(key)).toEqual(meaning);
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
