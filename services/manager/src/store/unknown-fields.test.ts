import { type ClusterId, Ip, type Name, type Node, type NodeId } from '@causeway/model';
import { UpdateNetworkRequest } from '@causeway/proto/gen/causeway/v1/network_service.js';
import { Subnet } from '@causeway/proto/gen/causeway/v1/types.js';
import { SeededRandom } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { raiseSchema } from '../cluster/schema.ts';
import { claimEndpoint } from '../plan/claim-endpoint.ts';
import { createNetwork } from '../plan/create-network.ts';
import type { Intent } from '../plan/intent.ts';
import { lowerMtu } from '../plan/mtu.ts';
import { readUpdateNetwork } from '../plan/network-requests.ts';
import { registerNode } from '../plan/register-node.ts';
import { updateNetwork } from '../plan/update-network.ts';
import { plainNetwork } from '../testing/plain-network.ts';
import { PlanHarness } from '../testing/plan-harness.ts';
import { type Codec, decodeText, encodeText, type JsonObject } from './records/codec.ts';
import { records } from './records/index.ts';

// During an upgrade of a cluster, a manager of a newer version may write fields that this version does not know.

const h1: Node = {
  id: '00000000000000a1' as NodeId,
  name: 'h1' as Name,
  dataPath: Ip('192.0.2.1'),
  underlayMtu: 1500,
  version: '0.1.0',
};
let desk: PlanHarness;
let keyOf: { readonly network: string; readonly node: string; readonly endpoint: string; readonly meta: string };

beforeEach(() => {
  desk = new PlanHarness(new SeededRandom(3));
  const meta = { clusterId: '00000000000000c1' as ClusterId, epoch: 1n, schema: 1 };
  put(desk.keys.meta, records.meta.codec.encode(meta));
  desk.make(registerNode(h1));
  const blue = desk.make(
    createNetwork(plainNetwork('blue', ['10.1.0.0/24', 'fd01::/64'], { labels: { tier: 'web' } })),
  );
  const { id } = desk.make(claimEndpoint({ network: 'blue', name: 'web' as Name, node: h1.id, addresses: [] }));
  keyOf = {
    network: desk.keys.network(blue.id),
    node: desk.keys.node(h1.id),
    endpoint: desk.keys.endpoint(blue.id, id),
    meta: desk.keys.meta,
  };
});

function put(key: string, value: Uint8Array): void {
  desk.write({ compares: [], takes: [], events: [], reply: undefined, writes: [{ kind: 'put', key, value }] });
}

const recordAt = (key: string): JsonObject =>
  JSON.parse(decodeText(desk.written.get(key) ?? new Uint8Array())) as JsonObject;

/** Fields of a later version, in the record and in each object within it. */
function strange(json: JsonObject): JsonObject {
  const added = Object.entries(json).map(([name, value]) => {
    if (Array.isArray(value)) return [name, value.map((item) => (isObject(item) ? { ...item, 'x-item': [1] } : item))];
    return [name, name === 'mtu' && isObject(value) ? { ...value, 'x-part': true } : value];
  });
  return { ...Object.fromEntries(added), 'x-field': { deep: [null, 'text', 7] } };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Paths of all fields of a record that begin with "x-". */
function strangers(json: unknown, path = ''): readonly string[] {
  if (Array.isArray(json)) return json.flatMap((item, i) => strangers(item, `${path}[${i}]`));
  if (!isObject(json)) return [];
  return Object.entries(json).flatMap(([name, value]) =>
    name.startsWith('x-') ? [`${path}.${name}=${JSON.stringify(value)}`] : strangers(value, `${path}.${name}`),
  );
}

const update = (message: Partial<UpdateNetworkRequest>) =>
  updateNetwork(readUpdateNetwork(UpdateNetworkRequest.create({ network: 'blue', ...message })));
const hostShrank: Node = { ...h1, underlayMtu: 1400 };

describe('fields of a later version survive', () => {
  test.each<[string, keyof typeof keyOf, () => Intent<unknown>]>([
    ['a network’s rename', 'network', () => update({ name: 'green' })],
    ['its labels', 'network', () => update({ setLabels: { zone: 'a' }, removeLabels: ['tier'] })],
    ['its MTU', 'network', () => update({ mtu: 1400 })],
    ['a subnet more', 'network', () => update({ addSubnets: [Subnet.create({ prefix: '10.2.0.0/24' })] })],
    ['a host that carries less', 'network', () => lowerMtu(desk.view.findNetwork('blue').value.id)],
    ['a host’s return with another version', 'node', () => registerNode({ ...h1, version: '0.2.0' })],
    ['its rename', 'node', () => registerNode({ ...h1, name: 'h9' as Name })],
    ['a higher schema', 'meta', () => raiseSchema(2)],
  ])('%s', (name, record, intent) => {
    const before = strange(recordAt(keyOf[record]));
    put(keyOf[record], encodeText(JSON.stringify(before)));
    if (name === 'a host that carries less') desk.make(registerNode(hostShrank));
    const write = intent()
      .plan(desk)
      .writes.find(({ key }) => key === keyOf[record]);
    const after = write?.kind === 'put' ? (JSON.parse(decodeText(write.value)) as JsonObject) : undefined;
    expect(after).not.toEqual(before);
    expect(strangers(after)).toEqual(expect.arrayContaining([...strangers(before)]));
  });

  test.each<[string, Codec<unknown>, () => JsonObject]>([
    ['network', records.network.codec, () => recordAt(keyOf.network)],
    ['node', records.node.codec, () => recordAt(keyOf.node)],
    ['endpoint', records.endpoint.codec, () => recordAt(keyOf.endpoint)],
    ['meta', records.meta.codec, () => recordAt(keyOf.meta)],
    ['leader', records.leader.codec, () => ({ name: 'm1', address: '192.0.2.1:7443', since: 1 })],
    [
      'manager',
      records.manager.codec,
      () => ({ name: 'm1', address: '192.0.2.1:7443', version: '1', etcdMember: '', schema: 1 }),
    ],
    [
      'known-manager',
      records.knownManager.codec,
      () => ({ name: 'm1', address: '192.0.2.1:7443', version: '1', etcdMember: '', schema: 1, goneAt: 1 }),
    ],
  ])('any rewrite of a record of kind %s', (_, codec, known) => {
    const before = strange(known());
    const decoded = codec.decode(encodeText(JSON.stringify(before)));
    if (!decoded.ok) throw decoded.error;
    const { value, original } = decoded.value;
    expect(JSON.parse(decodeText(codec.encode(value, original)))).toEqual(before);
  });
});
