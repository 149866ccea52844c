import { Ip } from '@causeway/model';
import type { Op } from '../../kinds/table.ts';
import type { NetnsPath } from '../../state.ts';
import {
  type ContractCase,
  container4,
  container6,
  errnoOf,
  macs,
  outcome,
  overlay,
  read,
  same,
  v4,
  v6,
} from './host.ts';

/** Cases that hold for every kind. */
export const everyKindCases: readonly ContractCase[] = [
  {
    name: 'deleting what is absent succeeds, whatever is absent with it',
    async run(host) {
      const { netns } = await overlay(host);
      const gone = host.freshPath();
      for (const op of [
        ...deletes(netns, 'br0'),
        ...deletes(netns, 'v1'),
        ...deletes(netns, 'vxlan0'),
        ...deletes(netns, 'none'),
        ...deletes(gone, 'none'),
      ]) {
        same(await outcome(host, op), 'ok', JSON.stringify(op));
      }
    },
  },
  {
    name: 'anything else on what is absent fails: ENODEV for a link, ENOENT for a namespace',
    async run(host) {
      const { netns } = await overlay(host);
      const gone = host.freshPath();
      for (const op of sets(netns)) same(await outcome(host, op), 'ENODEV', JSON.stringify(op));
      for (const op of sets(gone)) same(await outcome(host, op), 'ENOENT', JSON.stringify(op));
    },
  },
  {
    name: 'a failure in the middle of a long run stops nothing, and is reported by its index',
    async run(host) {
      const { netns } = await overlay(host);
      const ops = Array.from({ length: 1500 }, (_, n): Op => {
        const ip = Ip(`10.66.${n >> 8}.${n & 255}`);
        return { op: 'neighbour.set', netns, dev: n === 700 ? 'none' : 'vxlan0', ip, mac: macs.peer };
      });
      const results = await host.kernel.apply(ops);
      same(results.length, ops.length, 'results');
      const failed = results.flatMap((result, n) => (result.ok ? [] : [`${n} ${errnoOf(result)}`]));
      same(failed, ['700 ENODEV'], 'failed');
      same((await read(host, netns)).neighbours.get('vxlan0')?.size, 1499, 'programmed');
    },
  },
];

function deletes(netns: NetnsPath, dev: string): Op[] {
  return [
    { op: 'link.delete', netns, name: 'none' },
    { op: 'address.delete', netns, dev, address: container4 },
    { op: 'address.delete', netns, dev, address: container6 },
    { op: 'route.delete', netns, route: { ...v4, dev, metric: 5000 } },
    { op: 'route.delete', netns, route: { ...v6, dev, metric: 5000 } },
    { op: 'neighbour.delete', netns, dev, ip: Ip('10.66.0.10') },
    { op: 'neighbour.delete', netns, dev, ip: Ip('fd66::a') },
    { op: 'fdb.delete', netns, dev, mac: macs.peer, target: Ip('192.0.2.2') },
    { op: 'fdb.delete', netns, dev, mac: macs.peer, target: 'port' },
  ];
}

function sets(netns: NetnsPath): Op[] {
  const dev = 'none';
  return [
    { op: 'link.set', netns, name: dev, change: { up: true } },
    { op: 'address.add', netns, dev, address: container4 },
    { op: 'route.set', netns, route: { ...v4, dev, metric: 5000 } },
    { op: 'neighbour.set', netns, dev, ip: Ip('10.66.0.10'), mac: macs.peer },
    { op: 'fdb.set', netns, dev, mac: macs.peer, target: 'port' },
    { op: 'fdb.set', netns, dev, mac: macs.peer, target: Ip('192.0.2.2') },
  ];
}
