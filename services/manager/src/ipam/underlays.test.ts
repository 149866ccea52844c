import { Ip, type Name, type Network, type NodeId, Prefix } from '@causeway/model';
import { CreateNetworkRequest, UpdateNetworkRequest } from '@causeway/proto/gen/causeway/v1/network_service.js';
import { SeededRandom } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { createNetwork } from '../plan/create-network.ts';
import { readCreateNetwork, readUpdateNetwork } from '../plan/network-requests.ts';
import { registerNode } from '../plan/register-node.ts';
import { updateNetwork } from '../plan/update-network.ts';
import { records } from '../store/records/index.ts';
import { PlanHarness } from '../testing/plan-harness.ts';
import { refusal } from '../testing/refusal.ts';
import { underlayOf } from './underlays.ts';

let desk: PlanHarness;

function host(i: number, dataPath: string, more: { underlayMtu?: number; hostRoutes?: Prefix[] } = {}): void {
  const id = `00000000000000a${i}` as NodeId;
  desk.make(
    registerNode({ id, name: `h${i}` as Name, dataPath: Ip(dataPath), underlayMtu: 1500, version: '1', ...more }),
  );
}

function create(message: Partial<Omit<CreateNetworkRequest, 'subnets'>> & { subnet?: string }): Network {
  const { subnet = '10.66.0.0/16', ...rest } = message;
  const subnets = [{ prefix: subnet, gateway: '', ranges: [], auxAddresses: {} }];
  return desk.make(createNetwork(readCreateNetwork(CreateNetworkRequest.create({ name: 'blue', subnets, ...rest }))));
}

function update(message: Partial<UpdateNetworkRequest>): Network {
  return desk.make(updateNetwork(readUpdateNetwork(UpdateNetworkRequest.create({ network: 'blue', ...message }))));
}

beforeEach(() => {
  desk = new PlanHarness(new SeededRandom(7));
  host(1, '10.90.0.1', { hostRoutes: [Prefix('10.90.0.0/16'), Prefix('172.17.0.0/16')] });
  host(2, 'fd90::2', { underlayMtu: 1400 });
});

describe('an MTU that hosts do not carry', () => {
  test('is refused with the hosts and what they carry', () => {
    expect(refusal(() => create({ mtu: 9000 }))).toMatchObject({
      code: 'mtu-too-large',
      message: expect.stringMatching(/^mtu 9000 is more than h1, h2 carry: ask for 1330 or less/),
      data: { field: 'mtu', value: 9000, room: 1330, hosts: 'h1, h2' },
    });
    expect(refusal(() => create({ mtu: 1400 })).message).toContain('more than h2 carries');
    create({ mtu: 1330 });
    expect(refusal(() => update({ mtu: 1331 }))).toMatchObject({ code: 'mtu-too-large' });
    expect(update({ mtu: 1300 }).mtu).toMatchObject({ kind: 'fixed', bytes: 1300 });
  });

  test('is made when that is forced, and does not stand in the way of other changes', () => {
    expect(create({ mtu: 9000, force: true }).mtu).toEqual({ kind: 'fixed', bytes: 9000 });
    expect(update({ setLabels: { a: 'b' } }).labels).toEqual({ a: 'b' });
    expect(refusal(() => update({ mtu: 8000 }))).toMatchObject({ code: 'mtu-too-large' });
    expect(update({ mtu: 8000, force: true }).mtu.bytes).toBe(8000);
  });

  test('of a host that comes later refuses no host', () => {
    create({ mtu: 1330 });
    host(3, '10.90.0.3', { underlayMtu: 1000 });
    expect(desk.view.nodes.size).toBe(3);
  });

  test('but not what IPv6 needs at least, whatever the underlay', () => {
    host(3, '10.90.0.3', { underlayMtu: 1000 });
    expect(create({ subnet: 'fd66::/64', mtu: 1280 }).mtu.bytes).toBe(1280);
  });
});

describe('a subnet in the way of an underlay', () => {
  test.each([
    ['10.90.0.0/16', /^subnets\[0\] 10\.90\.0\.0\/16 overlaps 10\.90\.0\.0\/16, the underlay of h1/],
    ['10.0.0.0/8', /the underlay of h1/],
    ['10.90.7.0/24', /the underlay of h1/],
    ['fd90::/64', /overlaps the data path fd90::2 of h2/],
  ])('%s is refused with the host, unless that is forced', (subnet, says) => {
    const error = refusal(() => create({ subnet }));
    expect(error).toMatchObject({ code: 'underlay-overlap', data: { field: 'subnets[0]', value: subnet } });
    expect(error.message).toMatch(says);
    expect(create({ subnet, force: true }).subnets).toMatchObject([{ prefix: subnet }]);
  });

  test('is refused of an update too', () => {
    create({});
    const addSubnets = [{ prefix: '10.90.9.0/24', gateway: '', ranges: [], auxAddresses: {} }];
    expect(refusal(() => update({ addSubnets }))).toMatchObject({
      code: 'underlay-overlap',
      data: { field: 'add_subnets[0]', host: 'h1' },
    });
    expect(update({ addSubnets, force: true }).subnets).toHaveLength(2);
  });

  test('is not that in the way of another route of a host', () => {
    expect(create({ subnet: '172.17.0.0/16' }).name).toBe('blue');
  });

  test.each<[dataPath: string, routes: string[], underlay: string]>([
    ['10.90.0.1', [], '10.90.0.1/32'],
    ['10.90.0.1', ['10.0.0.0/8', '10.90.0.0/24', '10.91.0.0/24'], '10.90.0.0/24'],
    ['10.90.0.1', ['10.91.0.0/25', '10.90.0.0/24'], '10.90.0.0/24'],
    ['fd90::1', ['10.90.0.0/16', 'fd90::/64'], 'fd90::/64'],
  ])('the underlay of %s with routes %j is %s', (dataPath, routes, underlay) => {
    expect(underlayOf({ dataPath: Ip(dataPath), hostRoutes: routes.map(Prefix) })).toBe(underlay);
  });
});

test('a record of a version without creation times has none, and gets none', () => {
  const made = create({});
  expect(made.createdAt).toBe(desk.clock.wall());
  const { createdAt: _, ...old } = made;
  const bytes = records.network.codec.encode(old);
  const read = records.network.codec.decode(bytes);
  expect(read.ok && read.value.value).toEqual(old);
  expect(read.ok && 'createdAt' in read.value.value).toBe(false);
});

test('a host that introduces itself again with something changed is as old as before', () => {
  const id = '00000000000000a1' as NodeId;
  const before = desk.view.nodes.get(id)?.value;
  expect(before?.createdAt).toBe(desk.clock.wall());
  host(1, '10.90.0.1', { underlayMtu: 9000 });
  expect(desk.view.nodes.get(id)?.value).toMatchObject({ underlayMtu: 9000, createdAt: before?.createdAt });
});
