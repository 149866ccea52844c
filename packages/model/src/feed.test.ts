import { describe, expect, it } from 'vitest';
import { addDigest, removeDigest } from './digest.ts';
import type { EndpointRow } from './endpoint.ts';
import { feedOf, feedRange, feedVersions, newestCommonFeed, rowDigest, tableDigest } from './feed.ts';
import type { EndpointId, Name, NetworkId, NodeId } from './id.ts';
import { Ip } from './ip.ts';
import { Mac } from './mac.ts';
import type { Network, UnknownDriver, UnknownNetwork } from './network.ts';
import { InterfaceAddress, Prefix } from './prefix.ts';
import { noRows, type Rows } from './records.ts';
import { Vni } from './vni.ts';

const row = (id: string, fields: Partial<EndpointRow> = {}): EndpointRow => ({
  id: id as EndpointId,
  name: 'web' as Name,
  node: 'n1' as NodeId,
  addresses: [InterfaceAddress('10.66.0.9/16')],
  mac: Mac('02:42:0a:42:00:09'),
  vtep: Ip('10.90.0.1'),
  ...fields,
});

const rowsOf = (...rows: readonly EndpointRow[]): Rows => {
  return { ...(noRows() as Rows), endpoint: new Map(rows.map((each) => [each.id, each])) };
};

const network = (fields: Partial<Network> = {}): Network => ({
  id: '00000000000000aa' as NetworkId,
  name: 'blue' as Name,
  addressSpace: 'default' as Name,
  driver: 'overlay',
  internal: false,
  vni: Vni(4096),
  mtu: { kind: 'automatic', bytes: 1450 },
  subnets: [{ prefix: Prefix('10.66.0.0/16'), gateway: Ip('10.66.0.1') }],
  labels: {},
  ...fields,
});

/** A network with a driver that only a later version knows. */
const unknown = (sentVni: number): UnknownNetwork => {
  const { vni: _, ...common } = network();
  return { ...common, driver: 'macvlan' as UnknownDriver, sentVni };
};

const otherRows: Partial<EndpointRow>[] = [
  { id: 'other' as EndpointId },
  { name: 'db' as Name },
  { node: 'n2' as NodeId },
  { addresses: [InterfaceAddress('10.66.0.8/16')] },
  { addresses: [InterfaceAddress('10.66.0.9/16'), InterfaceAddress('fd66::9/64')] },
  { mac: Mac('02:42:0a:42:00:08') },
  { vtep: Ip('10.90.0.2') },
];

const otherNetworks: Partial<Network>[] = [
  { id: '00000000000000ab' as NetworkId },
  { name: 'red' as Name },
  { vni: Vni(4097) },
  { mtu: { kind: 'automatic', bytes: 1400 } },
  { subnets: [{ prefix: Prefix('10.66.0.0/16') }] },
  { subnets: [{ prefix: Prefix('10.66.0.0/16'), gateway: Ip('10.66.0.2') }] },
  { subnets: [{ prefix: Prefix('10.66.0.0/17'), gateway: Ip('10.66.0.1') }] },
  { subnets: [] },
];

describe.each(feedVersions)('the digest of feed version $number', ({ rowDigests, networkDigest }) => {
  const rowDigest = (of: EndpointRow): bigint => rowDigests.endpoint?.(of) ?? 0n;

  it('does not depend on order and comes back when a row is taken out', () => {
    const [a, b] = [rowDigest(row('a')), rowDigest(row('b'))];
    expect(addDigest(addDigest(0n, a), b)).toBe(addDigest(addDigest(0n, b), a));
    expect(removeDigest(addDigest(a, b), b)).toBe(a);
    expect(removeDigest(0n, a)).toBe(BigInt.asUintN(64, -a));
  });

  it('differs when any field of a row does, and over many rows', () => {
    const seen = new Set(otherRows.map((fields) => rowDigest(row('a', fields))).concat(rowDigest(row('a'))));
    for (let i = 0; i < 20_000; i++) seen.add(rowDigest(row(`id-${i}`)));
    expect(seen.size).toBe(otherRows.length + 20_001);
  });

  it.each(otherNetworks)('differs for %o', (fields) => {
    expect(networkDigest(network(fields))).not.toBe(networkDigest(network()));
  });
});

it('of version 2 covers what version 1 does not', () => {
  const [first, second] = feedVersions;
  for (const other of [network({ internal: true }), unknown(4096)]) {
    expect(first?.networkDigest(other)).toBe(first?.networkDigest(network()));
    expect(second?.networkDigest(other)).not.toBe(second?.networkDigest(network()));
  }
});

it.each(feedVersions)('of version $number covers the VNI that was sent, whatever the driver', ({ networkDigest }) => {
  expect(networkDigest(unknown(0))).not.toBe(networkDigest(unknown(7)));
});

it('is never the same in two versions', () => {
  const sums = feedVersions.map((feed) => tableDigest(feed, network(), rowsOf(row('a'))));
  expect(new Set(sums).size).toBe(feedVersions.length);
});

it('of a table is that of its network and its rows', () => {
  for (const feed of feedVersions) {
    const rows = [row('a'), row('b')];
    const parts = [feed.networkDigest(network()), ...rows.map((each) => rowDigest(feed, 'endpoint', each))];
    const table = tableDigest(feed, network(), rowsOf(...rows));
    expect(table).toBe(parts.reduce(addDigest, 0n));
    expect(rowDigest(feed, 'endpoint', row('a'))).toBe(feed.rowDigests.endpoint?.(row('a')));
    expect(rowDigest({ ...feed, rowDigests: { ...feed.rowDigests, endpoint: undefined } }, 'endpoint', row('a'))).toBe(
      0n,
    );
  }
});

/** Agents of released versions compute these numbers. If one changes, they and newer managers resync without end. */
it('of a released version never changes', () => {
  const digests = feedVersions.map((feed) => [feed.networkDigest(network()), feed.rowDigests.endpoint?.(row('a'))]);
  expect(digests).toEqual([
    [6728049594446108296n, 10234988278802428754n],
    [1057057741920409776n, 10234988278802428754n],
  ]);
});

it('versions rise by one, so that a number is never given twice', () => {
  const numbers = feedVersions.map(({ number }) => number);
  expect(numbers).toEqual(numbers.map((_, i) => (numbers[0] ?? 0) + i));
});

describe('a session speaks', () => {
  const known = feedVersions.slice(0, 2);
  it.each([
    ['the version before numbers, with who names none', [], 1],
    ['the newest that both know', [1, 2, 3], 2],
    ['an older one, with who knows no newer', [1], 1],
    ['nothing, with who knows only newer ones', [3, 4], undefined],
  ])('%s', (_, numbers, expected) => {
    expect(newestCommonFeed(known, numbers)?.number).toBe(expected);
  });

  it('and a message without a number is of version 1', () => {
    expect(feedOf(known, 0)?.number).toBe(1);
    expect(feedOf(known, 3)).toBeUndefined();
  });

  it.each([
    [[], '1'],
    [[3, 2], '2 to 3'],
    [[3, 1, 2], '1 to 3'],
    [[2], '2'],
  ])('%j reads as %s', (numbers, text) => expect(feedRange(numbers)).toBe(text));
});
