import { Ip, type Name, type Node, Prefix } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { records } from '../store/records/index.ts';
import { PlanHarness } from '../testing/plan-harness.ts';
import { expectRefused, type Refused } from '../testing/refusal.ts';
import { scriptNode } from '../testing/view-script.ts';
import { registerNode } from './register-node.ts';

const h1 = scriptNode(1);
let desk: PlanHarness;

beforeEach(() => {
  desk = new PlanHarness(new SeededRandom(7));
  desk.make(registerNode(h1));
});

const six: Node = { ...h1, dataPath: Ip('2001:db8::1') };
const routes = (count: number): Prefix[] =>
  Array.from({ length: count }, (_, i) => Prefix(`10.0.${i & 255}.${i >> 8}/32`));

test.each<[string, Node]>([
  ['the least underlay', { ...h1, underlayMtu: 576 }],
  ['the largest underlay', { ...h1, underlayMtu: 65_536 }],
  ['the least IPv6 underlay', { ...six, underlayMtu: 1_280 }],
  ['the longest version', { ...h1, version: 'x'.repeat(64) }],
  ['the most routes', { ...h1, hostRoutes: routes(256) }],
])('a host is taken with %s', (_, node) => {
  desk.make(registerNode(node));
  expect(desk.view.findNode('h1').value).toMatchObject(node);
});

describe('a host is refused', () => {
  test.each<Refused<Node>>([
    ['name taken', { ...scriptNode(2), name: h1.name }, 'name-taken', /node\.name "h1".*--name/],
    ['data path multicast', { ...h1, dataPath: Ip('224.0.0.1') }, 'address-invalid', /node\.data_path/],
    [
      'underlay too small',
      { ...h1, underlayMtu: 575 },
      'mtu-invalid',
      /node\.underlay_mtu 575 is outside 576 to 65536/,
    ],
    ['underlay too large', { ...h1, underlayMtu: 65_537 }, 'mtu-invalid', /node\.underlay_mtu 65537.*65536/],
    ['underlay no whole number', { ...h1, underlayMtu: 1_500.5 }, 'mtu-invalid', /node\.underlay_mtu 1500\.5/],
    ['IPv6 underlay too small', { ...six, underlayMtu: 1_279 }, 'mtu-invalid', /outside 1280 to 65536/],
    ['version too long', { ...h1, version: 'x'.repeat(65) }, 'invalid-argument', /node\.version.*at most 64/],
    ['too many routes', { ...h1, hostRoutes: routes(257) }, 'invalid-argument', /host_routes: 257.*the limit is 256/],
    ['name like an id', { ...h1, name: h1.id as string as Name }, 'name-invalid', /node\.name.*form of an id/],
    ['version with control characters', { ...h1, version: '\n' }, 'invalid-argument', /node\.version/],
    ['label key', { ...h1, labels: { '-': '' } }, 'invalid-argument', /label key "-"/],
  ])('%s', (_name, node, code, says) => expectRefused(desk, () => desk.make(registerNode(node)), code, says));
});

test('the same again writes nothing', () => {
  expect(registerNode(h1).plan(desk).writes).toEqual([]);
  desk.make(registerNode({ ...h1, labels: { zone: 'a', rack: '7' } }));
  expect(registerNode({ ...h1, labels: { rack: '7', zone: 'a' } }).plan(desk).writes).toEqual([]);
});

const fieldsOf = (node: Node) => {
  const { compares, writes } = registerNode(node).plan(desk);
  return [...compares, ...writes].map((each) => `${each.kind} ${'key' in each ? each.key : ''}`);
};

test('what is compared and written: of a new host, of a changed one, of one with a new name', () => {
  const key = desk.keys.node(h1.id);
  const [name, alpha] = [desk.keys.nodeName(h1.name), desk.keys.nodeName('alpha' as Name)];
  const [h2, name2] = [desk.keys.node(scriptNode(2).id), desk.keys.nodeName('h2' as Name)];
  const removed2 = desk.keys.removed('agent', scriptNode(2).id);
  expect(fieldsOf(scriptNode(2))).toEqual([
    ...[`absent ${h2}`, `absent ${removed2}`, `absent ${name2}`],
    ...[`put ${h2}`, `put ${name2}`],
  ]);
  expect(fieldsOf({ ...h1, version: '2' })).toEqual([`unchanged ${key}`, `put ${key}`]);
  const renamed = { ...h1, name: 'alpha' as Name };
  expect(fieldsOf(renamed)).toEqual([
    ...[`unchanged ${key}`, `absent ${alpha}`],
    ...[`put ${key}`, `put ${alpha}`, `delete ${name}`],
  ]);
  expect(registerNode(renamed).plan(desk).compares[0]).toMatchObject({
    modRevision: desk.view.findNode('h1').revision,
  });
});

test.each<[string, Partial<Node>]>([
  ['name', { name: 'alpha' as Name }],
  ['data path', { dataPath: Ip('192.0.2.9') }],
  ['underlay', { underlayMtu: 9_000 }],
  ['version', { version: '2' }],
  ['routes', { hostRoutes: routes(1) }],
  ['labels', { labels: { zone: 'a' } }],
])('another %s is a change', (_, over) => expect(fieldsOf({ ...h1, ...over })).not.toEqual([]));

test('the time at which it joined stays; a record without that time gets none', () => {
  const { createdAt } = desk.view.findNode('h1').value;
  expect(createdAt).toBe(desk.clock.wall());
  expect(registerNode({ ...h1, version: '2' }).plan({ ...desk, clock: { wall: () => 5 } }).reply.createdAt).toBe(
    createdAt,
  );
  const old = records.node.codec.encode(h1);
  const key = desk.keys.node(h1.id);
  desk.write({ compares: [], writes: [{ kind: 'put', key, value: old }], takes: [], events: [], reply: undefined });
  expect('createdAt' in registerNode({ ...h1, version: '2' }).plan(desk).reply).toBe(false);
});

test('a change is kept, down to labels that are gone', () => {
  desk.make(registerNode({ ...h1, version: '0.2.0', labels: { zone: 'a' } }));
  expect(desk.view.findNode('h1').value).toMatchObject({ version: '0.2.0', labels: { zone: 'a' } });
  desk.make(registerNode(h1));
  expect(desk.view.findNode('h1').value.labels).toBeUndefined();
});

test('a new name frees the old', () => {
  desk.make(registerNode({ ...h1, name: 'alpha' as Name }));
  expect(desk.view.findNode('alpha').value.id).toBe(h1.id);
  desk.make(registerNode({ ...scriptNode(2), name: h1.name }));
  expect([...desk.view.nodes.values()].map(({ value }) => value.name).sort()).toEqual(['alpha', 'h1']);
});
