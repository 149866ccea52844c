import { Ip } from '@causeway/model';
import { type ContractCase, macs, must, overlay, read, same } from './host.ts';

export const neighbourCases: readonly ContractCase[] = [
  {
    name: 'neighbours of both families are replaced, not doubled',
    async run(host) {
      const { netns } = await overlay(host);
      const dev = 'vxlan0';
      for (const ip of [Ip('10.66.0.10'), Ip('fd66::a')]) {
        await must(host, { op: 'neighbour.set', netns, dev, ip, mac: macs.hostEnd });
        await must(host, { op: 'neighbour.set', netns, dev, ip, mac: macs.peer });
      }
      const both = new Map([Ip('10.66.0.10'), Ip('fd66::a')].map((ip) => [ip, macs.peer]));
      same((await read(host, netns)).neighbours, new Map([[dev, both]]), 'found');
      await must(host, { op: 'neighbour.delete', netns, dev, ip: Ip('fd66::a') });
      same((await read(host, netns)).neighbours.get(dev)?.size, 1, 'one deleted');
    },
  },
];
