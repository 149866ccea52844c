import type { Ip, Name, Node, NodeId, RequestId } from '@causeway/model';
import { milliseconds, randomUuid, seconds } from '@causeway/runtime';
import { FakeClock, MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createNetwork } from '../plan/create-network.ts';
import { registerNode } from '../plan/register-node.ts';
import { MemoryStore } from '../store/memory.ts';
import { MemoryBackend } from '../store/memory-backend.ts';
import { records } from '../store/records/index.ts';
import { CoreManager } from '../testing/core-manager.ts';
import { plainNetwork } from '../testing/plain-network.ts';
import { NodeRegistrar } from './node-registrar.ts';

const random = new SeededRandom(3);
let clock: FakeClock;
let backend: MemoryBackend;
let manager: CoreManager;
let registrar: NodeRegistrar;

beforeEach(async () => {
  clock = new FakeClock();
  backend = new MemoryBackend({ clock });
  const log = new MemoryLog();
  manager = new CoreManager({ clock, backend, random, log }, { name: 'm1', ttl: seconds(3) });
  await manager.start();
  await clock.advance(milliseconds(1));
  const { view, writer } = manager;
  registrar = new NodeRegistrar({ view, writer, term: () => manager.terms.term });
});

afterEach(async () => {
  await clock.until(manager.stop(), seconds(30));
  backend.close();
});

function host(n: number, underlayMtu: number): Node {
  const id = `00000000000000a${n}` as NodeId;
  return { id, name: `h${n}` as Name, dataPath: `192.0.2.${n}` as Ip, underlayMtu, version: '0.1.0' };
}

async function create(name: string, prefix: string, mtu?: number): Promise<void> {
  const request = plainNetwork(name, [prefix]);
  await manager.writer.write(
    randomUuid(random) as RequestId,
    createNetwork(mtu === undefined ? request : { ...request, mtu }),
    { actor: 'tester' },
  );
}

const mtus = () => [...manager.view.networks.values()].map(({ value }) => value.mtu.bytes);

describe('MtuController', () => {
  beforeEach(async () => {
    await registrar.register(host(1, 1500));
    await create('blue', '10.1.0.0/16');
    await create('green', '10.2.0.0/16');
    await create('fixed', '10.3.0.0/16', 1450);
  });

  test('a host with a smaller underlay is in only when the automatic networks fit it', async () => {
    const revision = await registrar.register(host(2, 1400));
    expect(mtus()).toEqual([1350, 1350, 1450]);
    for (const { value, revision: changed } of manager.view.networks.values()) {
      if (value.mtu.kind === 'automatic') expect(changed).toBeLessThanOrEqual(revision);
    }
  });

  test('what an earlier leader left undone is done at the start of a term', async () => {
    const store = new MemoryStore({ clock, backend });
    await store.txn([], [{ kind: 'delete', key: manager.keys.leader }]);
    const node = host(2, 1400);
    const { key, value } = { key: manager.keys.node(node.id), value: records.node.codec.encode(node) };
    await store.txn([], [{ kind: 'put', key, value }]);
    expect(mtus()).toEqual([1450, 1450, 1450]);
    await clock.advance(seconds(1));
    expect(manager.leads).toBe(true);
    expect(mtus()).toEqual([1350, 1350, 1450]);
  });

  test('an automatic network that comes with too large an MTU is lowered, a fixed one and a deleted one are left', async () => {
    await registrar.register(host(2, 1400));
    const store = new MemoryStore({ clock, backend });
    const [blue, green] = [...manager.view.networks.values()].map(({ value }) => value);
    if (blue === undefined || green === undefined) throw new Error('two networks');
    const larger = { ...blue, mtu: { kind: 'automatic', bytes: 1450 } } as const;
    const value = records.network.codec.encode(larger);
    await store.txn([], [{ kind: 'put', key: manager.keys.network(blue.id), value }]);
    await clock.advance(milliseconds(1));
    expect(mtus()).toEqual([1350, 1350, 1450]);
    await store.txn([], [{ kind: 'delete', key: manager.keys.network(green.id) }]);
    await clock.advance(milliseconds(1));
    expect(mtus()).toEqual([1350, 1450]);
  });

  test('a store that fails is asked again', async () => {
    let failures = 0;
    await manager.writer.apply(registerNode(host(2, 1500)), { cause: 'test' });
    manager.store.fault = (operation) => (operation === 'txn' && ++failures > 1 && failures < 4 ? 'refused' : 'none');
    await clock.until(registrar.register(host(3, 1400)), seconds(30));
    expect(failures).toBeGreaterThan(4);
    expect(mtus()).toEqual([1350, 1350, 1450]);
  });
});
