import { InterfaceAddress, Ip, type Mac, macForIp } from '@causeway/model';
import { describeOnKernel, execIn, ip } from '@causeway/netlink/io/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Op } from '../kinds/table.ts';
import type { NetnsPath } from '../state.ts';
import { bridge, macs, must, vxlan } from '../testing/contract/host.ts';
import type { ContractHost } from '../testing/contract.ts';
import { realHost } from './testing/real-host.ts';

/**
 * Tests the assumption of the design: with `proxy` on the tunnel, no learning and no flooding on the containers' ports, and
 * a static entry for each container, every container can reach its peers and receives no frames for others.
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
  const reach = (from: NetnsPath, to: string) => execIn(from, 'ping', '-q', '-c', '1', '-W', '10', to);
  /** Sends to an address that does not answer. */
  const send = (from: NetnsPath, to: string, count: number, payload = 56): void => {
    const ping = ['ping', '-q', '-i', '0.002', '-s', String(payload), '-c', String(count), '-W', '0.2', to] as const;
    expect(() => execIn(from, ...ping)).toThrow();
  };
  const sent = (shown: string): { packets: number; bytes: number } => JSON.parse(shown)[0].stats64.tx;

  it('containers of one bridge reach each other and the gateway, over IPv4 and IPv6', async () => {
    const b = await container(2);
    for (const to of ['10.66.0.12', 'fd66::12', '10.66.0.1']) expect(reach(a, to)).toContain('1 received');
    for (const to of ['10.66.0.11', 'fd66::11']) expect(reach(b, to)).toContain('1 received');
    const entries = execIn(netns, 'bridge', 'fdb', 'show', 'br', 'br0').split('\n');
    const learned = entries.filter((line) => line.includes('master') && !/permanent|static/.test(line));
    expect(learned).toEqual([]);
  });

  it('unicast to an unknown MAC is not flooded to other containers', async () => {
    const other = await container(3);
    // For seconds after a link is made, IPv6 by itself joins groups and looks for routers.
    const off = { op: 'sysctl.set', key: 'net.ipv6.conf.all.disable_ipv6', value: '1' } as const;
    for (const each of [netns, a, other]) await must(host, { ...off, netns: each });
    execIn(a, 'ip', 'neigh', 'replace', '10.66.0.77', 'lladdr', '02:42:0a:42:00:4d', 'dev', 'eth0', 'nud', 'permanent');
    const payload = 1400;
    const frame = payload + 8 + 20 + 14;
    const heard = (): number => {
      const before = sent(execIn(netns, 'ip', '-s', '-j', 'link', 'show', 'v3')).bytes;
      send(a, '10.66.0.77', 50, payload);
      const bytes = sent(execIn(netns, 'ip', '-s', '-j', 'link', 'show', 'v3')).bytes - before;
      // Other traffic adds little to this count.
      return Math.round(bytes / frame);
    };
    expect(heard()).toBe(0);
    const change = { bridgePort: { master: 'br0', learning: false, flood: true } };
    await must(host, { op: 'link.set', netns, name: 'v3', change });
    expect(heard()).toBe(50);
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
      const before = sent(ip('-s', '-j', 'link', 'show', 'under0')).packets;
      send(a, to, 3);
      return sent(ip('-s', '-j', 'link', 'show', 'under0')).packets - before;
    };
    expect({ v4: crossed('10.66.0.200'), v6: crossed('fd66::200') }).toEqual({ v4: 3, v6: 3 });
    expect({ v4: crossed('10.66.0.201'), v6: crossed('fd66::201') }).toEqual({ v4: 0, v6: 0 });
  });
});
