import { Ip } from '@causeway/model';
import { seconds } from '@causeway/runtime';
import { expect, it, vi } from 'vitest';
import { Host } from '../testing/host.ts';

/** A host with a container in network blue. The reads after the attach are over. */
async function attached(): Promise<Host> {
  const host = new Host();
  host.manager.network('blue');
  await host.start();
  await host.attach('blue', 'web');
  await host.settle();
  return host;
}

it('what the agent writes for peers costs no read', async () => {
  const host = await attached();
  const read = vi.spyOn(host.kernel, 'read');
  const before = host.kernel.writes;
  const rows = Array.from({ length: 50 }, (_, n) => host.manager.peer('blue', 500 + n));
  await host.settle();
  host.manager.remove('blue', ...rows.slice(0, 25).map(({ id }) => id));
  await host.settle();
  expect(host.kernel.writes - before).toBe(2 * (50 + 25));
  expect(read.mock.calls).toEqual([]);
  expect(await host.wrong('blue')).toEqual([]);
});

it('what the agent makes for a container costs no read after it', async () => {
  const host = await attached();
  const read = vi.spyOn(host.kernel, 'read');
  await host.attach('blue', 'db');
  const before = read.mock.calls.length;
  await host.settle();
  expect(read.mock.calls.slice(before)).toEqual([]);
  expect(read.mock.calls.map(([netns]) => netns)).not.toContain(host.overlay('blue'));
  expect(await host.wrong('blue')).toEqual([]);
});

it('a change of another process to an entry that the agent has just written is repaired', async () => {
  const host = await attached();
  const { mac } = host.manager.peer('blue', 500);
  const netns = host.overlay('blue');
  await host.clock.until(written(host), seconds(1));
  host.kernel.foreign({ op: 'fdb.delete', netns, dev: 'vxlan0', mac, target: Ip('192.0.2.2') });
  await host.settle();
  expect(await host.wrong('blue')).toEqual([]);
  expect((await host.status()).node?.repairs).toBe(1n);
});

/** Waits until the kernel holds one more entry. */
async function written(host: Host): Promise<void> {
  const before = host.kernel.writes;
  while (host.kernel.writes < before + 2) await host.clock.yield();
}
