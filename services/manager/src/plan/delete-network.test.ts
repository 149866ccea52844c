import { addressOf, Ip, type Name, type NetworkId, Vni } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import { beforeEach, expect, test } from 'vitest';
import { evictEndpoint } from '../api/evict-network.ts';
import { records } from '../store/records/index.ts';
import { plainNetwork } from '../testing/plain-network.ts';
import { PlanHarness } from '../testing/plan-harness.ts';
import { expectRefused, refusal } from '../testing/refusal.ts';
import { scriptNode } from '../testing/view-script.ts';
import { claimEndpoint } from './claim-endpoint.ts';
import { createNetwork } from './create-network.ts';
import { deleteNetwork } from './delete-network.ts';
import { registerNode } from './register-node.ts';

const h1 = scriptNode(1);
const request = plainNetwork('blue', ['10.1.0.0/24', 'fd01::/64']);
let desk: PlanHarness;
let blue: NetworkId;

beforeEach(() => {
  desk = new PlanHarness(new SeededRandom(3));
  desk.make(registerNode(h1));
  blue = desk.make(createNetwork(request)).id;
});

const remove = (over: { network?: string; force?: boolean } = {}) =>
  desk.make(deleteNetwork({ network: 'blue', force: false, ...over }));
const attach = (name: string) =>
  desk.make(claimEndpoint({ network: 'blue', name: name as Name, node: h1.id, addresses: [] }));
const write = (key: string, value: Uint8Array) =>
  desk.write({ compares: [], takes: [], events: [], reply: undefined, writes: [{ kind: 'put', key, value }] });
const reserve = (ip: string) =>
  write(desk.keys.address(blue, Ip(ip)), records.address.codec.encode({ kind: 'reservation', purpose: 'printer' }));

test('refused: unknown', () => {
  expectRefused(desk, () => remove({ network: 'grey' }), 'network-unknown', /grey/);
});

test('refused: in use, with who is in the way', () => {
  attach('web');
  expectRefused(desk, () => remove(), 'network-in-use', /network "blue" has 1 endpoint: detach.*\(web on h1\)/);
});

test('refused: the first ten in the way are named, and how many more', () => {
  for (let i = 1; i <= 12; i++) attach(`c${i}`);
  reserve('10.1.0.99');
  const error = refusal(() => remove());
  expect(error.message).toMatch(/12 endpoints and 1 reservation.*c1 on h1; c2 on h1;.*; and 3 more/);
  expect(error.data).toMatchObject({ endpoints: 12, reservations: 1 });
});

test('refused: ten in the way are all named', () => {
  for (let i = 1; i <= 10; i++) attach(`c${i}`);
  const { message } = refusal(() => remove());
  expect(message).toMatch(/10 endpoints: .*; c10 on h1\)$/);
});

test('forced passes over reservations, never over endpoints', () => {
  reserve('10.1.0.99');
  const { id } = attach('a');
  expect(refusal(() => remove({ force: true })).code).toBe('busy');
  desk.make(evictEndpoint(id));
  remove({ force: true });
  expect(desk.view.networks.size).toBe(0);
});

test('an endpoint without a claim, which nothing releases, goes with it', () => {
  const endpoint = attach('lost');
  const claims = endpoint.addresses.map((address) => desk.keys.address(blue, addressOf(address)));
  desk.write({
    compares: [],
    takes: [],
    events: [],
    reply: undefined,
    writes: claims.map((key) => ({ kind: 'delete', key })),
  });
  remove();
  expect(desk.view.endpoint(endpoint.id)).toBeUndefined();
});

test('everything it claimed can be had again, its VNI later', () => {
  remove();
  expect(desk.view.vnis.get(Vni(4096))?.claim).toEqual({ kind: 'cooling', network: blue, name: 'blue', asked: false });
  expect(desk.make(createNetwork(request)).vni).toBe(4097);
});

test('while its VNI is claimed by another, it leaves that claim alone', () => {
  const other = { kind: 'network', network: 'ffffffffffffffff' as NetworkId, asked: false } as const;
  write(desk.keys.vni(Vni(4096)), records.vni.codec.encode(other));
  remove();
  expect(desk.view.vnis.get(Vni(4096))?.claim).toEqual(other);
});
