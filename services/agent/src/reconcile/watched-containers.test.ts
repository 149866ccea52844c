import type { NetnsPath } from '@causeway/datapath';
import { Ip, interfaceAddress } from '@causeway/model';
import { seconds } from '@causeway/runtime';
import { expect, it, vi } from 'vitest';
import { Host } from '../testing/host.ts';

const web = '/run/netns/web' as NetnsPath;

/** A host with container web in network blue, after its agent has read everything. */
async function attached(): Promise<Host> {
  const host = new Host();
  host.manager.network('blue');
  await host.start();
  await host.attach('blue', 'web');
  await host.settle(seconds(1));
  return host;
}

async function addressOf(host: Host, netns = web) {
  const found = await host.kernel.read(netns, { sysctls: [] });
  const [address] = found?.addresses.get('eth0') ?? [];
  if (address === undefined) throw new Error('the container has no address');
  return address;
}

it('an address that a process deletes in a container comes back, and an address of its own stays', async () => {
  const host = await attached();
  const own = interfaceAddress(Ip('10.77.0.9'), 16);
  const address = await addressOf(host);
  host.kernel.foreign({ op: 'address.add', netns: web, dev: 'eth0', address: own });
  host.kernel.foreign({ op: 'address.delete', netns: web, dev: 'eth0', address });
  await host.settle(seconds(1));
  expect(await host.wrong('blue')).toEqual([]);
  expect((await host.kernel.read(web, { sysctls: [] }))?.addresses.get('eth0')).toEqual(new Set([own, address]));
});

it('a change in a container that existed before the agent is repaired', async () => {
  const host = await attached();
  await host.restart();
  const address = await addressOf(host);
  host.kernel.foreign({ op: 'address.delete', netns: web, dev: 'eth0', address });
  await host.settle(seconds(1));
  expect(await host.wrong('blue')).toEqual([]);
});

it('a container with interfaces in two networks is watched for both', async () => {
  const host = await attached();
  host.manager.network('red');
  await host.settle();
  await host.attach('red', 'web2', { netns: web, ifname: 'eth1' });
  await host.settle(seconds(1));
  for (const [dev, network] of [
    ['eth0', 'blue'],
    ['eth1', 'red'],
  ] as const) {
    host.kernel.foreign({ op: 'link.set', netns: web, name: dev, change: { mtu: 1300 } });
    await host.settle(seconds(1));
    expect(await host.wrong(network), network).toEqual([]);
  }
});

it.each<[string, (host: Host) => void]>([
  [
    'an address of its own',
    ({ kernel }) =>
      kernel.foreign({ op: 'address.add', netns: web, dev: 'eth0', address: interfaceAddress(Ip('10.77.0.9'), 16) }),
  ],
  ['a link of its own', ({ kernel }) => kernel.foreignLink(web, 'dummy0')],
])('a container may add %s, which costs no read', async (_, change) => {
  const host = await attached();
  const read = vi.spyOn(host.kernel, 'read');
  change(host);
  await host.settle(seconds(1));
  expect(read.mock.calls).toEqual([]);
});

it('a container is not watched after its endpoint was detached', async () => {
  const host = await attached();
  await host.attach('blue', 'db');
  await host.detach('web');
  await host.settle(seconds(1));
  const read = vi.spyOn(host.kernel, 'read');
  host.kernel.foreignLink(web, 'eth0');
  await host.settle(seconds(1));
  expect(read.mock.calls.filter(([netns]) => netns === web)).toEqual([]);
  expect(await host.wrong('blue')).toEqual([]);
});

it('a new container at the path of an old one is watched', async () => {
  const host = await attached();
  host.kernel.foreign({ op: 'netns.delete', netns: web });
  await host.settle(seconds(31));
  await host.attach('blue', 'web');
  await host.settle(seconds(1));
  const address = await addressOf(host);
  host.kernel.foreign({ op: 'address.delete', netns: web, dev: 'eth0', address });
  await host.settle(seconds(1));
  expect(await host.wrong('blue')).toEqual([]);
});
