import { Ip, interfaceAddress } from '@causeway/model';
import type { WatchEvent } from '../../kernel.ts';
import { ourGroup } from '../../owner.ts';
import { hostNetns } from '../../state.ts';
import { bridge, type ContractCase, macs, must, outcome, read, same } from './host.ts';

const address = interfaceAddress(Ip('10.67.0.1'), 16);

/** Cases for the host namespace, in which other programs have objects too. */
export const hostNetnsCases: readonly ContractCase[] = [
  {
    name: 'in the host namespace only links that `apply` made are found, whatever the names of others are',
    async run(host) {
      const [ours, theirs] = ['cw-test-br', 'cw-test-other'];
      await host.foreignLink(theirs);
      await must(host, { op: 'link.add', netns: hostNetns, link: bridge({ name: ours }) });
      await must(host, { op: 'address.add', netns: hostNetns, dev: ours, address });
      const found = await read(host, hostNetns);
      same([...found.links.keys()], [ours], 'links');
      same(found.addresses, new Map([[ours, new Set([address])]]), 'addresses');
      same([...(await read(host, hostNetns, { links: [theirs] })).links.keys()], [], 'named');
      await must(host, { op: 'link.delete', netns: hostNetns, name: ours });
    },
  },
  {
    name: 'a link that another program puts into our device group stays that program’s',
    async run(host) {
      const name = 'test-uplink';
      await host.foreignLink(name, ourGroup);
      same([...(await read(host, hostNetns)).links.keys()], [], 'links');
      await must(host, { op: 'link.delete', netns: hostNetns, name });
      same(await outcome(host, { op: 'link.add', netns: hostNetns, link: bridge({ name }) }), 'EEXIST', 'still there');
    },
  },
  {
    name: 'in the host namespace `apply` touches no link that it did not make, and takes no name from it',
    async run(host) {
      const name = 'cw-test-other';
      await host.foreignLink(name);
      same(await outcome(host, { op: 'link.add', netns: hostNetns, link: bridge({ name }) }), 'EEXIST', 'link.add');
      same(
        await outcome(host, { op: 'link.set', netns: hostNetns, name, change: { mtu: 1400 } }),
        'ENODEV',
        'link.set',
      );
      same(await outcome(host, { op: 'address.add', netns: hostNetns, dev: name, address }), 'ENODEV', 'address.add');
      await must(host, { op: 'link.delete', netns: hostNetns, name });
      same(await outcome(host, { op: 'link.add', netns: hostNetns, link: bridge({ name }) }), 'EEXIST', 'still there');
    },
  },
  {
    name: 'a watch of the host namespace reports changes, and the namespace is never deleted',
    async run(host) {
      const seen = new Set<string>();
      const events = new Set<WatchEvent>();
      const watch = host.kernel.watch(hostNetns, (how, { links }) => {
        events.add(how);
        for (const link of links) seen.add(link);
      });
      await must(host, { op: 'link.add', netns: hostNetns, link: bridge({ name: 'cw-test-br', mac: macs.peer }) });
      await host.until(() => seen.has('cw-test-br'));
      await must(host, { op: 'link.delete', netns: hostNetns, name: 'cw-test-br' });
      watch?.close();
      same([...events], ['changed'], 'events');
    },
  },
];
