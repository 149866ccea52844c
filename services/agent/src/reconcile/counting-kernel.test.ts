import type { NetnsPath, Op } from '@causeway/datapath';
import { FakeKernel } from '@causeway/datapath/testing';
import { Ip, Mac } from '@causeway/model';
import { FakeClock } from '@causeway/runtime/testing';
import { expect, it } from 'vitest';
import { countWrites } from './counting-kernel.ts';
import { HostStats } from './host-stats.ts';

it('steps that the kernel carries out are counted, and refused steps by the error', async () => {
  const stats = new HostStats();
  const kernel = countWrites(new FakeKernel({ clock: new FakeClock() }, { underlay: Ip('192.0.2.1') }), stats);
  const netns = '/run/netns/cw-0000000001' as NetnsPath;
  const neighbour = {
    op: 'neighbour.set',
    netns,
    dev: 'br0',
    ip: Ip('10.0.0.2'),
    mac: Mac('02:42:0a:00:00:02'),
  } as const;
  const ops: readonly Op[] = [{ op: 'netns.add', netns }, neighbour, { op: 'netns.delete', netns }, neighbour];
  expect((await kernel.apply(ops)).map(({ ok }) => ok)).toEqual([true, false, true, false]);
  expect(stats.kernelWrites).toBe(2);
  expect([...stats.failedOps]).toEqual([
    ['ENODEV', 1],
    ['ENOENT', 1],
  ]);
});
