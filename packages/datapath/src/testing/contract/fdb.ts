import { Ip, Mac } from '@causeway/model';
import { type ContractCase, link, macs, must, outcome, overlay, read, same } from './host.ts';

const zeroMac = Mac('00:00:00:00:00:00');

export const fdbCases: readonly ContractCase[] = [
  {
    name: 'a unicast MAC has one VTEP: the last one set',
    async run(host) {
      const { netns } = await overlay(host);
      const entry = { op: 'fdb.set', netns, dev: 'vxlan0', mac: macs.peer } as const;
      await must(host, { ...entry, target: Ip('192.0.2.2') }, { ...entry, target: Ip('192.0.2.3') });
      const found = await read(host, netns);
      same(found.fdb.get('vxlan0'), new Map([[macs.peer, '192.0.2.3']]), 'found');
      same(await outcome(host, { ...entry, target: Ip('fd00::2') }), 'EAFNOSUPPORT', 'VTEP of the other family');
    },
  },
  {
    name: 'that a bridge takes its tunnel for the way to a MAC is no entry of the tunnel',
    async run(host) {
      const { netns } = await overlay(host);
      const entry = { netns, dev: 'vxlan0', mac: macs.peer } as const;
      const vtep = Ip('192.0.2.2');
      const entries = async () => (await read(host, netns)).fdb.get('vxlan0') ?? new Map();
      await must(host, { op: 'fdb.set', ...entry, target: vtep }, { op: 'fdb.set', ...entry, target: 'port' });
      same(await entries(), new Map([[macs.peer, vtep]]), 'both');
      await must(host, { op: 'fdb.delete', ...entry, target: vtep });
      same(await entries(), new Map(), 'without a VTEP');
    },
  },
  {
    name: 'a group MAC cannot be set; its VTEPs, appended by another program, are found and deleted together',
    async run(host) {
      const { netns } = await overlay(host);
      const dev = 'vxlan0';
      const vteps = [Ip('192.0.2.2'), Ip('192.0.2.3')];
      same(
        await outcome(host, { op: 'fdb.set', netns, dev, mac: zeroMac, target: vteps[0] as Ip }),
        'EOPNOTSUPP',
        'set',
      );
      for (const vtep of vteps) await host.appendFdb(netns, dev, zeroMac, vtep);
      const found = (await read(host, netns)).fdb.get(dev)?.get(zeroMac);
      same(found, vteps, 'found');
      await must(host, { op: 'fdb.delete', netns, dev, mac: zeroMac, target: found ?? [] });
      same((await read(host, netns)).fdb.get(dev) ?? new Map(), new Map(), 'deleted');
    },
  },
  {
    name: 'a static entry of a bridge port survives link down and goes with the bridge',
    async run(host) {
      const { netns } = await overlay(host);
      const entry = { netns, dev: 'v1', mac: macs.container, target: 'port' } as const;
      const entries = async () => (await read(host, netns)).fdb.get('v1') ?? new Map();
      await must(host, { op: 'fdb.set', ...entry }, { op: 'fdb.set', ...entry });
      await must(host, { op: 'link.set', netns, name: 'v1', change: { up: false } });
      same(await entries(), new Map([[macs.container, 'port']]), 'after link down');
      await must(host, { op: 'link.delete', netns, name: 'br0' });
      same(await entries(), new Map(), 'after the bridge went');
      same((await link(host, netns, 'v1'))?.kind, 'veth', 'the link itself stays');
      same(await outcome(host, { op: 'fdb.set', ...entry }), 'EOPNOTSUPP', 'not a port any more');
    },
  },
];
