import { statSync } from 'node:fs';
import type { NetnsPath } from '@causeway/datapath';
import { createKernel } from '@causeway/datapath/io';
import { Ip, type Name, type NodeId } from '@causeway/model';
import { createNetns, deleteNetns } from '@causeway/netlink/io';
import { describeOnKernel, enterThrowawayDirectory } from '@causeway/netlink/io/testing';
import { randomUuid, seconds } from '@causeway/runtime';
import { systemClock } from '@causeway/runtime/io';
import { MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import { beforeAll, expect, it } from 'vitest';
import { createAgent } from '../agent.ts';
import { memberCluster, memoryEncryption } from '../testing/encryption.ts';
import { FakeManager } from '../testing/fake-manager.ts';
import { MemoryFiles } from '../testing/memory-files.ts';

const path = '/run/netns/web' as NetnsPath;
const times = 1_000;

describeOnKernel('containers made again and again under one path, attached each time', () => {
  beforeAll(() => enterThrowawayDirectory());

  it(`${times} times: none gets the endpoint of a former one, none is refused for one`, {
    timeout: 120_000,
  }, async () => {
    const kernel = createKernel();
    const manager = new FakeManager();
    const random = new SeededRandom(1);
    manager.network('blue');
    const nodeId = 'a1a1a1a1a1a1a1a1' as NodeId;
    const settings = {
      nodeId,
      cluster: memberCluster,
      name: 'h1' as Name,
      managers: ['10.0.0.1:7443'],
      dataPath: Ip('192.0.2.1'),
      vxlanPort: 14790,
    };
    const world = {
      ...{ kernel, link: manager, files: new MemoryFiles(), clock: systemClock, random, log: new MemoryLog() },
      encryption: memoryEncryption(systemClock, nodeId),
    };
    const agent = createAgent(world, { ...settings, version: '0.1.0' });
    await agent.start();
    const inodes = new Set<bigint>();
    try {
      for (let n = 0; n < times; n++) {
        createNetns(path);
        inodes.add(inodeOf(path));
        const before = await kernel.read(path, { sysctls: [] });
        expect([...(before?.links.keys() ?? [])]).toEqual([]);
        const request = { requestId: randomUuid(random), network: 'blue', name: `web-${n}`, netns: path };
        const { endpoint } = await agent.api.attach(
          { ...request, ifname: '', addresses: [], labels: {}, gatewayPriority: 0 },
          seconds(10),
        );
        const after = await kernel.read(path, { sysctls: [] });
        expect(Array.from(after?.links.values() ?? [], ({ mac }) => mac)).toEqual([endpoint?.mac]);
        deleteNetns(path);
      }
      expect(inodes.size).toBeLessThan(times);
    } finally {
      await agent.stop();
      kernel.close();
      for (const netns of await kernel.ownNetns()) deleteNetns(netns);
      deleteNetns(path);
    }
  });
});

/** The inode that stat(2) shows; the kernel soon uses it again. */
function inodeOf(netns: NetnsPath): bigint {
  return statSync(netns, { bigint: true }).ino;
}
