import { Ip, Mac, Vni } from '@causeway/model';
import { milliseconds } from '@causeway/runtime';
import { FakeClock } from '@causeway/runtime/testing';
import { describe, expect, it } from 'vitest';
import type { WatchEvent } from '../kernel.ts';
import type { Op } from '../kinds/table.ts';
import { hostNetns, type NetnsPath } from '../state.ts';
import { xfrmStateCases } from './contract/xfrm-state.ts';
import { type ContractHost, kernelContractCases } from './contract.ts';
import { FakeKernel } from './fake-kernel.ts';

const netns = '/run/netns/cw-0000000001' as NetnsPath;

describe.each([
  ['the kernel contract', kernelContractCases, true],
  ['the kernel contract for SAs, without ESP', xfrmStateCases, false],
] as const)('%s', (_, cases, hasEsp) => {
  for (const { name, run } of cases) {
    it(name, async () => {
      const host = contractHost(hasEsp);
      await run(host);
      await host.dispose();
    });
  }
});

describe('what tests do to a FakeKernel', () => {
  it('a fault hits the next ops that match, which then do nothing', async () => {
    const kernel = fakeKernel();
    const add: Op = { op: 'netns.add', netns };
    kernel.failNext('netns.add', 'ENOSPC');
    const results = await kernel.apply([add, add]);
    expect(results.map((result) => (result.ok ? 'ok' : result.errno))).toEqual(['ENOSPC', 'ok']);
  });

  it('writes counts what came through apply, not what foreigners do', async () => {
    const kernel = fakeKernel();
    kernel.foreign({ op: 'netns.add', netns });
    await kernel.apply([{ op: 'sysctl.set', netns, key: 'net.ipv4.ip_forward', value: '1' }]);
    expect(kernel.writes).toBe(1);
  });

  it('an overrun reports that events were lost, without their content', async () => {
    const kernel = fakeKernel();
    kernel.foreign({ op: 'netns.add', netns });
    const seen: WatchEvent[] = [];
    kernel.watch(netns, (event) => seen.push(event));
    kernel.overrun(netns, {
      op: 'link.add',
      netns,
      link: { kind: 'bridge', name: 'br0', mac: Mac('02:45:00:00:00:01'), mtu: 1450, up: true },
    });
    await Promise.resolve();
    expect(seen).toEqual(['overrun']);
  });

  it('an inode is given again, the lowest free one first; without cookies the identity is with it', async () => {
    const settings = { underlay: Ip('192.0.2.1') };
    const [first, second, third] = ['/run/netns/a', '/run/netns/b', '/run/netns/c'] as NetnsPath[] as [
      NetnsPath,
      NetnsPath,
      NetnsPath,
    ];
    for (const hasCookies of [true, false]) {
      const kernel = new FakeKernel({ clock: new FakeClock() }, { ...settings, hasCookies });
      kernel.foreignNetns(first);
      kernel.foreignNetns(second);
      const [inode, identity] = [kernel.inodeOf(first), await kernel.identify(first)];
      kernel.foreign({ op: 'netns.delete', netns: first });
      kernel.foreignNetns(third);
      expect(kernel.inodeOf(third)).toBe(inode);
      expect((await kernel.identify(third)) === identity).toBe(!hasCookies);
    }
  });

  it('many changes in one turn of the event loop are reported once', async () => {
    const kernel = fakeKernel();
    kernel.foreign({ op: 'netns.add', netns });
    const seen: WatchEvent[] = [];
    kernel.watch(netns, (event) => seen.push(event));
    kernel.foreignLink(netns, 'dummy0');
    kernel.foreignLink(netns, 'dummy1');
    await Promise.resolve();
    expect(seen).toEqual(['changed']);
  });
});

function fakeKernel(clock = new FakeClock(), hasEsp = true): FakeKernel {
  return new FakeKernel({ clock }, { underlay: Ip('192.0.2.1'), hasEsp });
}

function contractHost(hasEsp: boolean): ContractHost {
  const clock = new FakeClock();
  const kernel = fakeKernel(clock, hasEsp);
  let made = 0;
  const freshPath = (): NetnsPath => `/run/netns/cw-test${++made}` as NetnsPath;
  return {
    kernel,
    underlay: Ip('192.0.2.1'),
    hasEsp,
    freshPath,
    freshVni: () => Vni(++made),
    containerNetns: async () => kernel.foreignNetns(freshPath()),
    alias: async (path) => kernel.foreignBind(freshPath(), path),
    destroy: async (path) => kernel.foreign({ op: 'netns.delete', netns: path }),
    foreign: async (...ops) => kernel.foreign(...ops),
    foreignLink: async (name, group) => kernel.foreignLink(hostNetns, name, group),
    foreignSocket: async (address) => kernel.foreignSocket(address),
    moveLink: async (path, name, to) => kernel.foreignMove(path, name, to),
    appendFdb: async (path, dev, mac, vtep) => kernel.foreignFdbAppend(path, dev, mac, vtep),
    ask: async (path, dev, ip) => kernel.foreignAsk(path, dev, ip),
    resolved: async (path, dev, ip) => kernel.resolved(path, dev, ip),
    until: async (holds) => {
      for (let waited = 0; waited < 1000; waited += 10) {
        if (await holds()) return;
        await clock.advance(milliseconds(10));
      }
      throw new Error('never came true');
    },
    dispose: async () => kernel.close(),
  };
}
