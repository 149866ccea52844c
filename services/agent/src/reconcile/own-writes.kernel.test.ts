import { buildNetwork, differences, type NetnsPath, overlayNetns, type ReadScope, readState } from '@causeway/datapath';
import { createKernel } from '@causeway/datapath/io';
import {
  type EndpointRow,
  type InterfaceAddress,
  Ip,
  interfaceAddress,
  isKnown,
  type Name,
  type NodeId,
} from '@causeway/model';
import { createNetns, deleteNetns } from '@causeway/netlink/io';
import { describeOnKernel, enterThrowawayDirectory } from '@causeway/netlink/io/testing';
import { milliseconds, randomUuid, seconds } from '@causeway/runtime';
import { systemClock } from '@causeway/runtime/io';
import { MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import { beforeAll, expect, it } from 'vitest';
import { type Agent, createAgent } from '../agent.ts';
import { memberCluster, memoryEncryption } from '../testing/encryption.ts';
import { FakeManager } from '../testing/fake-manager.ts';
import { MemoryFiles } from '../testing/memory-files.ts';

const container = '/run/netns/web' as NetnsPath;
const dataPath = Ip('192.0.2.1');
const vxlanPort = 14791;
/**
 * A change without a notification is found by the sweep every 30 s. That is far from the 2 s of a repair, also on a busy
 * machine.
 */
const soon = seconds(10);

describeOnKernel('an agent whose kernel others change while it writes', () => {
  beforeAll(() => enterThrowawayDirectory());

  it('reads nothing for its own writes, and puts right all that others do meanwhile', { timeout: 60_000 }, async () => {
    const [kernel, other] = [createKernel(), createKernel()];
    const manager = new FakeManager();
    const random = new SeededRandom(1);
    const { id, name } = manager.network('blue');
    const netns = overlayNetns(id);
    let reads = 0;
    const read = (from: NetnsPath, scope: ReadScope): ReturnType<typeof kernel.read> => {
      reads++;
      return kernel.read(from, scope);
    };
    const counting = new Proxy(kernel, {
      get: (target, key) => (key === 'read' ? read : Reflect.get(target, key).bind(target)),
    });
    // Sweeps come as late as they can.
    const late = { float: () => 0.999, bytes: (count: number) => random.bytes(count) };
    const nodeId = 'a1a1a1a1a1a1a1a1' as NodeId;
    const world = {
      kernel: counting,
      link: manager,
      files: new MemoryFiles(),
      clock: systemClock,
      log: new MemoryLog(),
      encryption: memoryEncryption(systemClock, nodeId),
    };
    const settings = {
      ...{ nodeId, cluster: memberCluster, name: 'h1' as Name, managers: ['10.0.0.1:7443'] },
      ...{ dataPath, vxlanPort, version: '0.1.0' },
    };
    const agent = createAgent({ ...world, random: late }, settings);
    createNetns(container);
    await agent.start();
    const until = async (holds: () => Promise<boolean>): Promise<void> => {
      const deadline = systemClock.now() + soon;
      while (!(await holds())) {
        if (systemClock.now() > deadline) throw new Error('it never came to hold');
        await systemClock.sleep(milliseconds(20), new AbortController().signal);
      }
    };
    const isExact = async (): Promise<boolean> => (await wrong(agent, manager, other)).length === 0;
    try {
      await agent.api.attach(
        {
          ...{ requestId: randomUuid(random), network: name, name: 'web', netns: container, ifname: '' },
          ...{ addresses: [], labels: {}, gatewayPriority: 0 },
        },
        seconds(10),
      );
      await until(isExact);
      const pick = (rows: readonly EndpointRow[]): EndpointRow =>
        rows[Math.floor(random.float() * rows.length)] as EndpointRow;
      const quiet = async (): Promise<void> => {
        // Notifications of carriers and addresses come up to a second after an attach.
        for (let before = -1; before !== reads; ) {
          before = reads;
          await systemClock.sleep(seconds(1), new AbortController().signal);
        }
      };
      await quiet();
      const [own, other4] = [interfaceAddress(Ip('10.77.0.9'), 16), await addressIn(other)];
      await other.apply([
        { op: 'address.add', netns: container, dev: 'eth0', address: own },
        { op: 'address.delete', netns: container, dev: 'eth0', address: other4 },
      ]);
      await until(isExact);
      expect((await other.read(container, { sysctls: [] }))?.addresses.get('eth0')).toContain(own);
      await quiet();
      const before = reads;
      const rows = Array.from({ length: 200 }, (_, n) => manager.peer('blue', 1000 + n));
      await until(isExact);
      await quiet();
      expect(reads - before).toBe(0);

      for (let round = 0; round < 40; round++) {
        for (let n = 0; n < 5; n++) rows.push(manager.peer('blue', 2000 + 5 * round + n));
        const [{ mac }, { addresses, mac: same }] = [pick(rows), pick(rows)];
        const ip = Ip(addresses[0]?.split('/')[0] ?? '');
        await other.apply([
          { op: 'fdb.delete', netns, dev: 'vxlan0', mac, target: Ip('192.0.2.2') },
          { op: 'fdb.set', netns, dev: 'vxlan0', mac: pick(rows).mac, target: Ip('192.0.2.66') },
          round % 2 === 0
            ? { op: 'neighbour.delete', netns, dev: 'vxlan0', ip }
            : { op: 'neighbour.set', netns, dev: 'vxlan0', ip, mac: pick(rows).mac },
          { op: 'fdb.set', netns, dev: 'vxlan0', mac: same, target: Ip('192.0.2.2') },
        ]);
      }
      await until(isExact);
      expect((await agent.api.getAgentStatus()).node?.repairs).toBeGreaterThan(0n);
    } finally {
      await agent.stop();
      for (const each of [kernel, other]) each.close();
      for (const own of await other.ownNetns()) deleteNetns(own);
      deleteNetns(container);
    }
  });
});

async function addressIn(kernel: ReturnType<typeof createKernel>): Promise<InterfaceAddress> {
  const found = await kernel.read(container, { sysctls: [] });
  const [address] = found?.addresses.get('eth0') ?? [];
  if (address === undefined) throw new Error('the container has no address');
  return address;
}

/** Differences between the kernel and the managers' state, as another process sees them. */
async function wrong(agent: Agent, manager: FakeManager, kernel: ReturnType<typeof createKernel>): Promise<unknown[]> {
  const held = manager.networks.get('blue');
  if (held === undefined || !isKnown(held.network)) throw new Error('no network blue');
  const { node } = await agent.api.getAgentStatus();
  const { sandboxes } = await agent.api.listSandboxes();
  const desired = buildNetwork({
    ...{ network: held.network, node: node?.id as NodeId, vtep: dataPath, vxlanPort, rows: held.rows.values() },
    sandboxes: sandboxes.map(({ endpoint, ifname }) => ({
      ...{ endpoint: endpoint?.id as never, netns: container, ifname, gateway: { priority: 0, slot: 0 } },
    })),
  });
  return differences(await readState(kernel, desired), desired);
}
