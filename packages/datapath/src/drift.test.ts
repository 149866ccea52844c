import { InterfaceAddress, Ip, Mac, Prefix, Vni } from '@causeway/model';
import { seconds } from '@causeway/runtime';
import { describe, expect, it } from 'vitest';
import { buildNetwork } from './drivers/build.ts';
import { hostEnd, overlayNetns } from './drivers/overlay-names.ts';
import { blue, containerPath, endpointId, vtep } from './testing/fixtures.ts';
import { both, goldenOf, peer, runStory, type Story, withNetwork } from './testing/story.ts';

const netns = overlayNetns(blue.id);
const v2 = hostEnd(endpointId(2));
const eth0 = containerPath(2);

/** What other programs do to a host that has `both`. Each must be repaired. */
const drifts: readonly Omit<Story, 'before' | 'after'>[] = [
  {
    name: 'drift: FDB entry deleted',
    meanwhile: (kernel) => kernel.foreign({ op: 'fdb.delete', netns, dev: 'vxlan0', mac: peer.mac, target: peer.vtep }),
  },
  {
    name: 'drift: FDB entry leads elsewhere',
    meanwhile: (kernel) => kernel.foreign({ op: 'fdb.set', netns, dev: 'vxlan0', mac: peer.mac, target: vtep(8) }),
  },
  {
    name: 'drift: foreign FDB entries, a group with two VTEPs',
    meanwhile: (kernel) => {
      const unknown = Mac('02:42:0a:42:63:63');
      kernel.foreign({ op: 'fdb.set', netns, dev: 'vxlan0', mac: unknown, target: vtep(8) });
      kernel.foreign({ op: 'fdb.set', netns, dev: v2, mac: unknown, target: 'port' });
      for (const host of [8, 9]) kernel.foreignFdbAppend(netns, 'vxlan0', Mac('00:00:00:00:00:00'), vtep(host));
    },
  },
  { name: 'drift: neighbours flushed', meanwhile: (kernel) => kernel.foreignNeighbourFlush(netns, 'vxlan0') },
  {
    name: 'drift: foreign and wrong neighbours',
    meanwhile: (kernel) => {
      const mac = Mac('02:42:0a:42:63:63');
      for (const ip of [Ip('10.66.99.99'), Ip('10.66.0.9')]) {
        kernel.foreign({ op: 'neighbour.set', netns, dev: 'vxlan0', ip, mac });
      }
    },
  },
  {
    name: 'drift: vxlan0 down',
    meanwhile: (kernel) => kernel.foreign({ op: 'link.set', netns, name: 'vxlan0', change: { up: false } }),
  },
  {
    name: 'drift: MAC of vxlan0 changed, neighbours set again by another process',
    meanwhile: (kernel) => {
      kernel.foreign({ op: 'link.set', netns, name: 'vxlan0', change: { mac: Mac('02:44:00:00:00:99') } });
      kernel.foreign({ op: 'neighbour.set', netns, dev: 'vxlan0', ip: Ip('10.66.0.9'), mac: peer.mac });
    },
  },
  {
    name: 'drift: vxlan0 deleted',
    meanwhile: (kernel) => kernel.foreign({ op: 'link.delete', netns, name: 'vxlan0' }),
  },
  {
    name: 'drift: vxlan0 of another VNI',
    meanwhile: (kernel) => {
      const vxlan = buildNetwork(withNetwork({ vni: Vni(99) }))
        .get(netns)
        ?.links.get('vxlan0');
      if (vxlan?.kind !== 'vxlan') throw new TypeError('a vxlan device');
      kernel.foreign({ op: 'link.delete', netns, name: 'vxlan0' }, { op: 'link.add', netns, link: vxlan });
    },
  },
  {
    name: 'drift: the tunnel under another name',
    meanwhile: (kernel) => {
      const vxlan = buildNetwork(both).get(netns)?.links.get('vxlan0');
      if (vxlan?.kind !== 'vxlan') throw new TypeError('a vxlan device');
      kernel.foreign({ op: 'link.delete', netns, name: 'vxlan0' });
      kernel.foreign({ op: 'link.add', netns, link: { ...vxlan, name: 'stolen' } });
    },
  },
  { name: 'drift: bridge deleted', meanwhile: (kernel) => kernel.foreign({ op: 'link.delete', netns, name: 'br0' }) },
  {
    name: 'drift: something else is named br0',
    meanwhile: (kernel) => {
      kernel.foreign({ op: 'link.delete', netns, name: 'br0' });
      kernel.foreignLink(netns, 'br0');
    },
  },
  { name: 'drift: host end deleted', meanwhile: (kernel) => kernel.foreign({ op: 'link.delete', netns, name: v2 }) },
  {
    name: "drift: container's end deleted",
    meanwhile: (kernel) => kernel.foreign({ op: 'link.delete', netns: eth0, name: 'eth0' }),
  },
  {
    name: "drift: container's end down",
    meanwhile: (kernel) => kernel.foreign({ op: 'link.set', netns: eth0, name: 'eth0', change: { up: false } }),
  },
  {
    name: "drift: container's end with an MTU below 1280",
    meanwhile: (kernel) => kernel.foreign({ op: 'link.set', netns: eth0, name: 'eth0', change: { mtu: 1000 } }),
  },
  {
    name: 'drift: port floods',
    meanwhile: (kernel) => {
      const bridgePort = { master: 'br0', learning: false, flood: true };
      kernel.foreign({ op: 'link.set', netns, name: v2, change: { bridgePort } });
    },
  },
  {
    name: 'drift: port of another bridge',
    meanwhile: (kernel) => {
      const br9 = { kind: 'bridge', name: 'br9', mac: Mac('02:45:00:00:00:09'), mtu: 1450, up: true } as const;
      const bridgePort = { master: 'br9', learning: false, flood: false };
      kernel.foreign({ op: 'link.add', netns, link: br9 });
      kernel.foreign({ op: 'link.set', netns, name: v2, change: { bridgePort } });
    },
  },
  { name: 'drift: foreign link', meanwhile: (kernel) => kernel.foreignLink(netns, 'dummy0') },
  {
    name: 'drift: gateway gone, another address of its subnet there first',
    meanwhile: (kernel) => {
      const gateway = InterfaceAddress('10.66.0.1/16');
      const stray = InterfaceAddress('10.66.0.77/16');
      kernel.foreign({ op: 'address.delete', netns, dev: 'br0', address: gateway });
      kernel.foreign({ op: 'address.add', netns, dev: 'br0', address: stray });
    },
  },
  {
    name: 'drift: an address on vxlan0, whose removal flushes neighbours',
    meanwhile: (kernel) => {
      const address = InterfaceAddress('10.66.0.99/16');
      kernel.foreign({ op: 'address.add', netns, dev: 'vxlan0', address });
    },
  },
  {
    name: 'drift: default route by another gateway, and one before ours',
    meanwhile: (kernel) => {
      const route = { gateway: Ip('10.66.0.66'), dev: 'eth0', dst: Prefix('0.0.0.0/0') };
      kernel.foreign({ op: 'route.set', netns: eth0, route: { ...route, metric: 100_000 } });
      const v6 = { gateway: Ip('fd66::66'), dev: 'eth0', dst: Prefix('::/0') };
      kernel.foreign({ op: 'route.set', netns: eth0, route: { ...v6, metric: 100 } });
    },
  },
  {
    name: 'drift: sysctls',
    meanwhile: (kernel) => {
      kernel.foreign({ op: 'sysctl.set', netns, key: 'net.ipv4.ip_forward', value: '0' });
      kernel.foreign({ op: 'sysctl.set', netns: eth0, key: 'net.ipv6.conf.eth0.accept_ra', value: '2' });
    },
  },
  {
    name: 'drift: overlay namespace deleted',
    meanwhile: (kernel, clock) => {
      kernel.foreign({ op: 'netns.delete', netns });
      return clock.advance(seconds(1));
    },
  },
  {
    name: "drift: container's namespace deleted",
    meanwhile: (kernel) => kernel.foreign({ op: 'netns.delete', netns: eth0 }),
  },
];

describe('plan puts right', () => {
  for (const drift of drifts) {
    const story = { ...drift, before: both, after: both };
    it(story.name, async () => {
      const { report, failures, left } = await runStory(story);
      expect(failures).toEqual([]);
      expect(left).toEqual([]);
      await expect(report).toMatchFileSnapshot(goldenOf(story));
    });
  }
});
