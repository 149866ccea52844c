import { Ip, interfaceAddress, Mac, macForIp, type NetworkId, Prefix } from '@causeway/model';
import { describeOnKernel, execIn, ip } from '@causeway/netlink/io/testing';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { applyPlan, readState, teardown } from '../apply.ts';
import { buildNetwork } from '../drivers/build.ts';
import { overlayNetns } from '../drivers/overlay-names.ts';
import type { Op } from '../kinds/table.ts';
import { plan } from '../plan.ts';
import { hostNetns, type NetnsPath } from '../state.ts';
import { contractPort, must, overlay, read, vxlan } from '../testing/contract/host.ts';
import type { ContractHost } from '../testing/contract.ts';
import { blue, onHost, row, sandbox } from '../testing/fixtures.ts';
import { realHost } from './testing/real-host.ts';

describeOnKernel('what is read is what iproute2 shows', () => {
  let host: ContractHost;
  beforeEach(() => {
    host = realHost();
  });
  afterEach(() => host.dispose());

  const json = (netns: NetnsPath, command: string, ...args: string[]): Shown[] =>
    JSON.parse(execIn(netns, command, '-d', '-j', ...args));

  it('links', async () => {
    const { netns } = await overlay(host);
    const { links } = await read(host, netns);
    const shown = json(netns, 'ip', 'link', 'show').filter(({ ifname }) => ifname !== 'lo');
    expect(shown.map(({ ifname, address, mtu, flags }) => [ifname, address, mtu, flags.includes('UP')])).toEqual(
      [...links.values()].map(({ name, mac, mtu, up }) => [name, mac, mtu, up]),
    );
    const tunnel = shown.find(({ ifname }) => ifname === 'vxlan0');
    const found = links.get('vxlan0');
    expect(found).toMatchObject({ kind: 'vxlan', local: '192.0.2.1', bridgePort: { learning: true, flood: true } });
    expect(tunnel?.linkinfo).toMatchObject({
      info_kind: 'vxlan',
      info_data: {
        id: found?.kind === 'vxlan' && found.vni,
        local: '192.0.2.1',
        port: 14789,
        learning: false,
        proxy: true,
      },
      info_slave_data: { learning: true, flood: true },
    });
    const port = shown.find(({ ifname }) => ifname === 'v1')?.linkinfo;
    expect(port).toMatchObject({ info_slave_data: { learning: false, flood: false } });
  });

  it('a network as it is built: its router alone has a link-local address', async () => {
    const id = `${Date.now().toString(16).slice(-10)}000000` as NetworkId;
    const container = await host.containerNetns();
    const network = { ...blue, id, vni: host.freshVni() };
    const sandboxes = [{ ...sandbox(2), netns: container }];
    const vtep = host.underlay;
    const desired = buildNetwork(onHost([row(2, 1), row(3, 2)], { network, vtep, vxlanPort: contractPort, sandboxes }));
    const netns = overlayNetns(id);
    onTestFinished(async () => void (await teardown(host.kernel, netns)));
    expect(await applyPlan(host.kernel, plan(await readState(host.kernel, desired), desired))).toEqual([]);
    expect(plan(await readState(host.kernel, desired), desired)).toEqual([]);
    const shown = JSON.parse(execIn(netns, 'ip', '-6', '-j', 'address', 'show', 'scope', 'link')) as Shown[];
    expect(shown.flatMap(({ ifname }) => ifname ?? [])).toEqual(['br0']);
  });

  it('a tunnel over IPv6', async () => {
    const { netns } = await overlay(host);
    const tunnel = vxlan(host, { name: 'vxlan6', local: Ip('2001:db8::1') });
    const mac = Mac('02:42:0a:42:00:0a');
    await must(
      host,
      { op: 'link.add', netns, link: tunnel },
      { op: 'fdb.set', netns, dev: 'vxlan6', mac, target: Ip('2001:db8::2') },
    );
    const found = await read(host, netns);
    expect(found.links.get('vxlan6')).toEqual(tunnel);
    expect(found.fdb.get('vxlan6')).toEqual(new Map([[mac, '2001:db8::2']]));
    await must(host, { op: 'fdb.delete', netns, dev: 'vxlan6', mac, target: Ip('2001:db8::2') });
    expect((await read(host, netns)).fdb.get('vxlan6')).toBeUndefined();
  });

  it('20,000 neighbours and FDB entries', async () => {
    const { netns } = await overlay(host);
    const dev = 'vxlan0';
    const ips = Array.from({ length: 10_000 }, (_, n) => [
      Ip(`10.66.${n >> 8}.${n & 255}`),
      Ip(`fd66::${n.toString(16)}`),
    ]).flat();
    const ops = ips.flatMap((address, n): Op[] => [
      { op: 'neighbour.set', netns, dev, ip: address, mac: macForIp(address) },
      { op: 'fdb.set', netns, dev, mac: macForIp(address), target: Ip(`192.0.2.${n % 250}`) },
    ]);
    await must(host, ...ops);
    const found = await read(host, netns);
    const neighbours = json(netns, 'ip', 'neigh', 'show', 'dev', dev, 'nud', 'permanent');
    expect(neighbours).toHaveLength(ips.length);
    expect(found.neighbours).toEqual(new Map([[dev, new Map(neighbours.map(({ dst, lladdr }) => [dst, lladdr]))]]));
    const entries = json(netns, 'bridge', 'fdb', 'show', 'dev', dev).filter(({ flags }) => flags.includes('self'));
    expect(entries).toHaveLength(ips.length);
    expect(found.fdb).toEqual(new Map([[dev, new Map(entries.map(({ mac, dst }) => [mac, dst]))]]));
  });

  it('addresses and routes', async () => {
    const { container: netns } = await overlay(host);
    const dev = 'eth0';
    const routes = [
      { dst: Prefix('0.0.0.0/0'), gateway: Ip('10.66.0.1'), dev, metric: 0 },
      { dst: Prefix('10.99.0.0/16'), dev, metric: 5 },
      { dst: Prefix('::/0'), gateway: Ip('fd66::1'), dev, metric: 512 },
    ];
    await must(
      host,
      { op: 'address.add', netns, dev, address: interfaceAddress(Ip('10.66.0.9'), 16) },
      { op: 'address.add', netns, dev, address: interfaceAddress(Ip('fd66::9'), 64) },
      ...routes.map((route): Op => ({ op: 'route.set', netns, route })),
    );
    const found = await read(host, netns);
    expect(found.routes).toEqual(new Map(routes.map((route) => [route.dst, route])));
    expect(found.addresses).toEqual(new Map([[dev, new Set(['10.66.0.9/16', 'fd66::9/64'])]]));
    const lines = [4, 6].flatMap((family) => execIn(netns, 'ip', `-${family}`, 'route').split('\n'));
    expect(lines.map((line) => line.trim()).filter((line) => line.includes('static'))).toEqual([
      'default via 10.66.0.1 dev eth0 proto static',
      '10.99.0.0/16 dev eth0 proto static scope link metric 5',
      'default via fd66::1 dev eth0 proto static metric 512 pref medium',
    ]);
    expect(execIn(netns, 'ip', '-6', 'address', 'show', 'dev', dev)).toContain('fd66::9/64 scope global nodad');
  });

  it('tunnel entries that lead elsewhere are not taken for ours, and setting them makes them right', async () => {
    const { netns } = await overlay(host);
    const vtep = Ip('192.0.2.9');
    const foreign = [
      ['02:00:00:00:00:01', 'dst', vtep, 'port', '9999'],
      ['02:00:00:00:00:02', 'dst', vtep, 'vni', '77'],
    ];
    for (const [mac = '', ...rest] of foreign)
      execIn(netns, 'bridge', 'fdb', 'add', mac, 'dev', 'vxlan0', 'self', ...rest);
    const macs = foreign.map(([mac = '']) => Mac(mac));
    const found = (await read(host, netns)).fdb.get('vxlan0');
    expect(found).toEqual(new Map(macs.map((mac) => [mac, '0.0.0.0'])));
    const entries = macs.map((mac) => ({ netns, dev: 'vxlan0', mac, target: vtep }) as const);
    await must(host, ...entries.map((entry): Op => ({ op: 'fdb.set', ...entry })));
    expect((await read(host, netns)).fdb.get('vxlan0')).toEqual(new Map(macs.map((mac) => [mac, vtep])));
    execIn(netns, 'bridge', 'fdb', 'replace', macs[0] ?? '', 'dev', 'vxlan0', 'self', 'dst', vtep, 'port', '9999');
    await must(host, ...entries.map((entry): Op => ({ op: 'fdb.delete', ...entry, target: Ip('0.0.0.0') })));
    expect((await read(host, netns)).fdb.get('vxlan0')).toBeUndefined();
  });

  it.each([
    ['learning', ['learning']],
    ['without proxy', ['nolearning']],
    ['with a default destination', ['nolearning', 'proxy', 'remote', '192.0.2.7']],
    ['with miss events', ['nolearning', 'proxy', 'l2miss', 'l3miss']],
    ['that another process made inside', ['nolearning', 'proxy']],
  ])('a vxlan device %s is foreign', async (_, options) => {
    const { netns } = await overlay(host);
    const id = String(host.freshVni());
    execIn(
      netns,
      'ip',
      'link',
      'add',
      'vx',
      'type',
      'vxlan',
      'id',
      id,
      'dstport',
      '14789',
      'local',
      '192.0.2.1',
      ...options,
    );
    expect((await read(host, netns)).links.get('vx')?.kind).toBe('foreign');
  });

  it('of the host namespace nothing that other programs made, but the underlay', async () => {
    const found = await read(host, hostNetns);
    expect([found.links, found.addresses, found.routes]).toEqual([new Map(), new Map(), new Map()]);
    ip('link', 'set', 'under0', 'mtu', '1400');
    expect(await host.kernel.underlay(host.underlay)).toEqual({ address: '192.0.2.1', device: 'under0', mtu: 1400 });
  });
});

/** The fields of `ip -j` and `bridge -j` that are used. */
interface Shown {
  readonly ifname: string;
  readonly address: string;
  readonly mtu: number;
  readonly flags: readonly string[];
  readonly linkinfo?: object;
  readonly dst: string;
  readonly lladdr: string;
  readonly mac: string;
}
