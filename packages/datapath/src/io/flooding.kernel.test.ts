import { InterfaceAddress, Ip, type Mac, macForIp } from '@causeway/model';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Op } from '../op.ts';
import type { NetnsPath } from '../state.ts';
import { bridge, macs, must, vxlan } from '../testing/contract/host.ts';
import type { ContractHost } from '../testing/contract.ts';
import { describeOnKernel } from './testing/describe-on-kernel.ts';
import { execIn, ip, realHost } from './testing/real-host.ts';

/**
 * What the design rests on: with `proxy` on the tunnel, learning and flooding off on the containers' ports and a
 * static entry for each, everybody reaches whom they should, and nobody hears what is not for them.
 */
describeOnKernel('an overlay as Causeway builds it', () => {
  let host: ContractHost;
  let netns: NetnsPath;
  let a: NetnsPath;
  beforeEach(async () => {
    host = realHost();
    netns = host.freshPath();
    const port = { master: 'br0', learning: false, flood: true };
    await must(
      host,
      { op: 'netns.add', netns },
      { op: 'sysctl.set', netns, key: 'net.ipv6.conf.default.accept_dad', value: '0' },
      { op: 'link.add', netns, link: bridge() },
      { op: 'address.add', netns, dev: 'br0', address: InterfaceAddress('10.66.0.1/16') },
      { op: 'link.add', netns, link: vxlan(host, { bridgePort: port }) },
      { op: 'link.set', netns, name: 'vxlan0', change: { bridgePort: port } },
    );
    a = await container(1);
    ip('neigh', 'replace', '192.0.2.2', 'lladdr', '02:00:00:00:00:02', 'dev', 'under0', 'nud', 'permanent');
  });
  afterEach(() => host.dispose());

  /** A container with 10.66.0.(10+n) and fd66::(10+n), behind port v<n>. */
  async function container(n: number): Promise<NetnsPath> {
    const inside = await host.containerNetns();
    const address = Ip(`10.66.0.${10 + n}`);
    const mac = macForIp(address);
    const quiet = { master: 'br0', learning: false, flood: false };
    const link = { kind: 'veth', name: `v${n}`, mac: macFor(n), mtu: 1450, up: true, bridgePort: quiet } as const;
    const addresses = [InterfaceAddress(`${address}/16`), InterfaceAddress(`fd66::${10 + n}/64`)];
    await must(
      host,
      { op: 'link.add', netns, link: { ...link, peer: { netns: inside, name: 'eth0', mac, mtu: 1450 } } },
      { op: 'link.set', netns, name: link.name, change: { bridgePort: quiet } },
      { op: 'fdb.set', netns, dev: link.name, mac, target: 'port' },
      { op: 'link.set', netns: inside, name: 'eth0', change: { up: true } },
      ...addresses.map((own): Op => ({ op: 'address.add', netns: inside, dev: 'eth0', address: own })),
    );
    return inside;
  }

  const macFor = (n: number) => `02:46:00:00:00:0${n}` as Mac;
  const ping = (from: NetnsPath, to: string, count = 1) =>
    execIn(from, 'ping', '-q', '-i', '0.002', '-c', String(count), '-W', '0.2', to);
  const sent = (shown: string): number => JSON.parse(shown)[0].stats64.tx.packets;

  it('containers of one bridge reach each other and the gateway, over IPv4 and IPv6', async () => {
    const b = await container(2);
    for (const to of ['10.66.0.12', 'fd66::12', '10.66.0.1']) expect(ping(a, to)).toContain('1 received');
    for (const to of ['10.66.0.11', 'fd66::11']) expect(ping(b, to)).toContain('1 received');
    const entries = execIn(netns, 'bridge', 'fdb', 'show', 'br', 'br0').split('\n');
    const learned = entries.filter((line) => line.includes('master') && !/permanent|static/.test(line));
    expect(learned).toEqual([]);
  });

  it('unicast to a MAC nobody has is not flooded to other containers', async () => {
    await container(3);
    execIn(a, 'ip', 'neigh', 'replace', '10.66.0.77', 'lladdr', '02:42:0a:42:00:4d', 'dev', 'eth0', 'nud', 'permanent');
    const heard = (): number => {
      const before = sent(execIn(netns, 'ip', '-s', '-j', 'link', 'show', 'v3'));
      try {
        ping(a, '10.66.0.77', 50);
      } catch {
        // Nobody answers; what counts is who heard it.
      }
      return sent(execIn(netns, 'ip', '-s', '-j', 'link', 'show', 'v3')) - before;
    };
    expect(heard()).toBeLessThan(25);
    const change = { bridgePort: { master: 'br0', learning: false, flood: true } };
    await must(host, { op: 'link.set', netns, name: 'v3', change });
    expect(heard()).toBeGreaterThanOrEqual(50);
  });

  it('known remote addresses are resolved here, unknown ones are not asked for on the underlay', async () => {
    const remote = { netns, dev: 'vxlan0', mac: macs.peer } as const;
    await must(
      host,
      { op: 'neighbour.set', ...remote, ip: Ip('10.66.0.200') },
      { op: 'neighbour.set', ...remote, ip: Ip('fd66::200') },
      { op: 'fdb.set', ...remote, target: Ip('192.0.2.2') },
    );
    const crossed = (to: string): number => {
      const before = sent(ip('-s', '-j', 'link', 'show', 'under0'));
      try {
        ping(a, to, 3);
      } catch {
        // The other host is not there.
      }
      return sent(ip('-s', '-j', 'link', 'show', 'under0')) - before;
    };
    expect({ v4: crossed('10.66.0.200'), v6: crossed('fd66::200') }).toEqual({ v4: 3, v6: 3 });
    expect({ v4: crossed('10.66.0.201'), v6: crossed('fd66::201') }).toEqual({ v4: 0, v6: 0 });
  });
});
