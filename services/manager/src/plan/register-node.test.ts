import { Ip, type Name, type Node } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, test } from 'vitest';
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

describe('a host is refused', () => {
  test.each<Refused<Node>>([
    ['name taken', { ...scriptNode(2), name: h1.name }, 'name-taken', /node\.name "h1".*--name/],
    ['data path multicast', { ...h1, dataPath: Ip('224.0.0.1') }, 'address-invalid', /node\.data_path/],
    ['underlay too small', { ...h1, underlayMtu: 100 }, 'mtu-invalid', /node\.underlay_mtu 100.*576/],
    ['version with control characters', { ...h1, version: '\n' }, 'invalid-argument', /node\.version/],
    ['label key', { ...h1, labels: { '-': '' } }, 'invalid-argument', /label key "-"/],
  ])('%s', (_name, node, code, says) => expectRefused(desk, () => desk.make(registerNode(node)), code, says));
});

test('the same again writes nothing', () => {
  expect(registerNode(h1).plan(desk).writes).toEqual([]);
  desk.make(registerNode({ ...h1, labels: { zone: 'a', rack: '7' } }));
  expect(registerNode({ ...h1, labels: { rack: '7', zone: 'a' } }).plan(desk).writes).toEqual([]);
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
