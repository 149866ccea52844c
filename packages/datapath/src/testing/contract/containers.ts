import { Ip, interfaceAddress } from '@causeway/model';
import { newNamespace } from '../../draft.ts';
import type { Namespace, Op } from '../../kinds/table.ts';
import type { NetnsPath } from '../../state.ts';
import {
  type ContractCase,
  type ContractHost,
  container4,
  container6,
  macs,
  must,
  overlay,
  pair,
  quietPort,
  same,
  v4,
} from './host.ts';

const route = { ...v4, dev: 'eth0', metric: 100_000 } as const;
const own = interfaceAddress(Ip('10.77.0.9'), 16);

/** Watches of what is desired in a container. */
export const containerCases: readonly ContractCase[] = [
  {
    name: 'a watch of a container reports each desired object that another process changes or removes',
    async run(host) {
      const { container, desired } = await inContainer(host);
      let changes = 0;
      host.kernel.watchContainer(container, desired, () => changes++);
      const to = (change: Extract<Op, { op: 'link.set' }>['change']): Op => ({
        op: 'link.set',
        netns: container,
        name: 'eth0',
        change,
      });
      const address = { netns: container, dev: 'eth0', address: container4 } as const;
      const repairs: readonly (readonly [Op, ...Op[]])[] = [
        [
          { op: 'route.delete', netns: container, route },
          { op: 'route.set', netns: container, route },
        ],
        [
          { op: 'route.set', netns: container, route: { ...route, metric: 5 } },
          { op: 'route.delete', netns: container, route: { ...route, metric: 5 } },
        ],
        [
          { op: 'address.delete', ...address },
          { op: 'address.add', ...address },
          { op: 'route.set', netns: container, route },
        ],
        [to({ mtu: 1400 }), to({ mtu: 1450 })],
        [to({ mac: macs.peer }), to({ mac: macs.container })],
        [to({ up: false }), to({ up: true }), { op: 'route.set', netns: container, route }],
        [{ op: 'link.delete', netns: container, name: 'eth0' }],
      ];
      for (const [change, ...repair] of repairs) {
        changes = 0;
        await host.foreign(change);
        await host.until(() => changes > 0).catch(() => same(changes, 1, JSON.stringify(change)));
        await must(host, ...repair);
      }
    },
  },
  {
    name: 'a watch of a container is silent about what this kernel makes, and about objects of the container itself',
    async run(host) {
      const { netns, container } = await overlay(host);
      const other = await host.containerNetns();
      const [desired, sentinel] = [desiredOf(), desiredOf()];
      await must(host, { op: 'address.add', netns: container, dev: 'eth0', address: container4 });
      let [changes, heard] = [0, 0];
      host.kernel.watchContainer(other, desired, () => changes++);
      host.kernel.watchContainer(container, { ...sentinel, routes: new Map() }, () => heard++);
      await must(
        host,
        { op: 'link.add', netns, link: pair(other, { name: 'v2', bridgePort: quietPort }) },
        { op: 'link.set', netns: other, name: 'eth0', change: { up: true } },
        { op: 'address.add', netns: other, dev: 'eth0', address: container4 },
        { op: 'route.set', netns: other, route },
      );
      const foreign = { netns: other, route: { ...route, dst: '10.88.0.0/16', metric: 5 } as never };
      await host.foreign(
        { op: 'address.add', netns: other, dev: 'eth0', address: own },
        { op: 'route.set', ...foreign },
        { op: 'address.delete', netns: other, dev: 'eth0', address: own },
        { op: 'route.delete', ...foreign },
        // The kernel reports a change of both containers in the order of the changes.
        { op: 'address.delete', netns: container, dev: 'eth0', address: container4 },
      );
      await host.until(() => heard > 0);
      same(changes, 0, 'reports');
    },
  },
  {
    name: 'a watch of a container follows what is desired, and ends',
    async run(host) {
      const { container, desired } = await inContainer(host);
      let changes = 0;
      const watch = host.kernel.watchContainer(container, desired, () => changes++);
      let heard = 0;
      host.kernel.watchContainer(container, desired, () => heard++);
      watch?.expect(newNamespace());
      await host.foreign({ op: 'route.delete', netns: container, route });
      await host.until(() => heard > 0);
      same(changes, 0, 'no longer desired');
      watch?.expect(desired);
      watch?.close();
      await host.foreign({ op: 'address.delete', netns: container, dev: 'eth0', address: container4 });
      await host.until(() => heard > 1);
      same(changes, 0, 'closed');
    },
  },
  {
    name: 'a watch of a container needs the expected namespace, and does not keep the namespace alive',
    async run(host) {
      const { netns, container, desired } = await inContainer(host);
      const other = await host.kernel.identify(netns);
      if (other === undefined) throw new Error('no identity');
      const watch = (expected = new Map<NetnsPath, typeof other>()) =>
        host.kernel.watchContainer(container, desired, () => undefined, expected);
      same(watch(new Map([[container, other]])), undefined, 'of another namespace');
      same(
        host.kernel.watchContainer(host.freshPath(), desired, () => undefined),
        undefined,
        'without a namespace',
      );
      watch();
      await host.destroy(container);
      // The other end of the pair is removed with the namespace.
      await host.until(async () => (await host.kernel.read(netns, { sysctls: [] }))?.links.has('v1') === false);
    },
  },
];

/** A container as it is desired. */
async function inContainer(
  host: ContractHost,
): Promise<{ netns: NetnsPath; container: NetnsPath; desired: Namespace }> {
  const { netns, container } = await overlay(host);
  await must(
    host,
    { op: 'address.add', netns: container, dev: 'eth0', address: container4 },
    { op: 'address.add', netns: container, dev: 'eth0', address: container6 },
    { op: 'route.set', netns: container, route },
  );
  return { netns, container, desired: desiredOf() };
}

function desiredOf(): Namespace {
  return {
    ...newNamespace(),
    links: new Map([['eth0', { kind: 'veth', name: 'eth0', mac: macs.container, mtu: 1450, up: true }]]),
    addresses: new Map([['eth0', new Set([container4])]]),
    routes: new Map([[route.dst, route]]),
  };
}
