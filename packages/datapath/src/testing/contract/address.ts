import { Ip, interfaceAddress } from '@causeway/model';
import { type ContractCase, container4, container6, macs, must, outcome, overlay, read, same, v4 } from './host.ts';

export const addressCases: readonly ContractCase[] = [
  {
    name: 'addresses of both families; twice is EEXIST',
    async run(host) {
      const { container: netns } = await overlay(host);
      const add = (address: typeof container4) => outcome(host, { op: 'address.add', netns, dev: 'eth0', address });
      same([await add(container4), await add(container6)], ['ok', 'ok'], 'first');
      same([await add(container4), await add(container6)], ['EEXIST', 'EEXIST'], 'again');
      await must(host, { op: 'address.delete', netns, dev: 'eth0', address: container6 });
      same((await read(host, netns)).addresses.get('eth0'), new Set([container4]), 'one deleted');
    },
  },
  {
    name: 'promote_secondaries: deleting an address keeps the others of its subnet',
    async run(host) {
      const { netns } = await overlay(host);
      const [first, second] = [interfaceAddress(Ip('10.66.0.1'), 16), interfaceAddress(Ip('10.66.0.2'), 16)];
      await must(
        host,
        { op: 'sysctl.set', netns, key: 'net.ipv4.conf.all.promote_secondaries', value: '1' },
        { op: 'address.add', netns, dev: 'br0', address: first },
        { op: 'address.add', netns, dev: 'br0', address: second },
        { op: 'address.delete', netns, dev: 'br0', address: first },
      );
      same((await read(host, netns)).addresses.get('br0'), new Set([second]), 'left');
    },
  },
  {
    name: 'the last IPv4 address of a link takes its IPv4 routes and neighbours along, and nothing else',
    async run(host) {
      const { netns } = await overlay(host);
      const dev = 'vxlan0';
      const address = container4;
      const route = { ...v4, dev, metric: 5000 };
      await must(
        host,
        { op: 'address.add', netns, dev, address },
        { op: 'route.set', netns, route },
        { op: 'fdb.set', netns, dev, mac: macs.peer, target: Ip('192.0.2.2') },
        { op: 'neighbour.set', netns, dev, ip: Ip('10.66.0.10'), mac: macs.peer },
        { op: 'neighbour.set', netns, dev, ip: Ip('fd66::a'), mac: macs.peer },
        { op: 'address.delete', netns, dev, address },
      );
      const found = await read(host, netns);
      same(found.routes, new Map(), 'routes');
      same(found.neighbours, new Map([[dev, new Map([[Ip('fd66::a'), macs.peer]])]]), 'neighbours');
      same(found.fdb.get(dev)?.size, 1, 'FDB');
    },
  },
];
