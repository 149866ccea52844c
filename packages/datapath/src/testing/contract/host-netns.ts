import { Ip, interfaceAddress } from '@causeway/model';
import type { WatchEvent } from '../../kernel.ts';
import { hostNetns } from '../../state.ts';
import { bridge, type ContractCase, macs, must, read, same } from './host.ts';

const address = interfaceAddress(Ip('10.67.0.1'), 16);

/** Cases for the host namespace, in which other programs have objects too. */
export const hostNetnsCases: readonly ContractCase[] = [
  {
    name: 'in the host namespace a scope finds links by the beginning of their names, and what hangs on them',
    async run(host) {
      const [ours, theirs] = ['cw-test-br', 'test-br'];
      for (const name of [ours, theirs]) {
        await must(host, { op: 'link.add', netns: hostNetns, link: bridge({ name }) });
        await must(host, { op: 'address.add', netns: hostNetns, dev: name, address });
      }
      const found = await read(host, hostNetns, { links: [], orNamed: 'cw-' });
      same([...found.links.keys()], [ours], 'links');
      same(found.addresses, new Map([[ours, new Set([address])]]), 'addresses');
      const both = await read(host, hostNetns, { links: [theirs], orNamed: 'cw-' });
      same([...both.links.keys()], [ours, theirs], 'links, one named');
      for (const name of [ours, theirs]) await must(host, { op: 'link.delete', netns: hostNetns, name });
    },
  },
  {
    name: 'a watch of the host namespace tells of changes, and the namespace is never deleted',
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
      same([...events], ['changed'], 'told');
    },
  },
];
