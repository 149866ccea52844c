import { Ip, type Network, type NetworkId, Prefix, Vni } from '@causeway/model';
import { describeOnKernel, execIn } from '@causeway/netlink/io/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { applyPlan, readState, teardown } from '../apply.ts';
import { buildNetwork } from '../drivers/build.ts';
import type { NetworkOnHost } from '../drivers/driver.ts';
import { overlayNetns } from '../drivers/overlay-names.ts';
import { plan } from '../plan.ts';
import type { NetnsPath } from '../state.ts';
import { contractPort } from '../testing/contract/host.ts';
import type { ContractHost } from '../testing/contract.ts';
import { blue, onHost, row, sandbox } from '../testing/fixtures.ts';
import { realHost } from './testing/real-host.ts';

/**
 * The expected content of a host's kernel for a network, as iproute2 and sysctl(8) show it after a plan
 * (docs/data-path.md has the reasons). Golden files and properties compare `buildNetwork` with its own earlier output,
 * and so repeat its mistakes. These values are written by hand, and `vitest -u` does not change them.
 */
interface Expected {
  readonly what: string;
  readonly network: Partial<Network>;
  /** Addresses of endpoint 2 on this host, 3 on the host with 192.0.2.2 and 4 on the host with 192.0.2.3. */
  readonly addresses: (endpoint: number) => readonly string[];
  /** NAME KIND MAC MTU, and the flags of a port. */
  readonly links: readonly string[];
  readonly bridgeAddresses: readonly string[];
  readonly fdb: readonly string[];
  readonly neighbours: readonly string[];
  readonly containerAddresses: readonly string[];
  readonly containerRoutes: readonly string[];
  /** Restored when another program changes them. */
  readonly sysctls: Readonly<Record<string, string>>;
  /** Inherited from those when a link is made. */
  readonly inherited: Readonly<Record<string, string>>;
  readonly containerSysctls: Readonly<Record<string, string>>;
}

const everyNetwork = {
  'net.ipv4.ip_forward': '1',
  'net.ipv4.conf.all.send_redirects': '0',
  'net.ipv4.conf.default.send_redirects': '0',
  'net.ipv4.conf.br0.send_redirects': '0',
  'net.ipv4.conf.all.promote_secondaries': '1',
  'net.ipv6.conf.all.forwarding': '1',
  'net.ipv6.conf.all.accept_ra': '0',
  'net.ipv6.conf.default.accept_ra': '0',
  'net.ipv6.conf.default.addr_gen_mode': '1',
};

const newLinks = {
  'net.ipv4.conf.vxlan0.send_redirects': '0',
  'net.ipv4.conf.v000000020000.send_redirects': '0',
  'net.ipv6.conf.br0.accept_ra': '0',
  'net.ipv6.conf.vxlan0.accept_ra': '0',
  'net.ipv6.conf.v000000020000.accept_ra': '0',
  'net.ipv6.conf.vxlan0.addr_gen_mode': '1',
  'net.ipv6.conf.v000000020000.addr_gen_mode': '1',
};

const fdb = [
  '02:42:0a:42:00:02 v000000020000 static',
  '02:42:0a:42:00:03 vxlan0 192.0.2.2',
  '02:42:0a:42:00:04 vxlan0 192.0.2.3',
];

const cases: readonly Expected[] = [
  {
    what: 'both families and gateways',
    network: { vni: Vni(0x1234) },
    addresses: (n) => [`10.66.0.${n}/16`, `fd66::${n}/64`],
    links: [
      'br0 bridge 02:42:0a:42:00:01 1450',
      'v000000020000 veth 02:46:00:00:00:02 1450 port of br0',
      'vxlan0 vxlan 02:44:00:00:12:34 1450 port of br0, floods; vni 4660 local 192.0.2.1 port 14789 proxy',
    ],
    // The last is the gateway's own address, from which it asks for neighbours.
    bridgeAddresses: ['10.66.0.1/16', 'fd66::1/64', 'fe80::42:aff:fe42:1/64'],
    fdb,
    neighbours: [
      '10.66.0.3 02:42:0a:42:00:03',
      '10.66.0.4 02:42:0a:42:00:04',
      'fd66::3 02:42:0a:42:00:03',
      'fd66::4 02:42:0a:42:00:04',
    ],
    containerAddresses: ['10.66.0.2/16', 'fd66::2/64'],
    containerRoutes: ['4 10.66.0.1 eth0 100000', '6 fd66::1 eth0 100000'],
    sysctls: { ...everyNetwork, 'net.ipv6.conf.br0.addr_gen_mode': '0' },
    inherited: newLinks,
    containerSysctls: { 'net.ipv6.conf.eth0.accept_ra': '0' },
  },
  {
    what: 'IPv4 alone and no way out',
    network: { vni: Vni(0x4321), internal: true, subnets: [{ prefix: Prefix('10.66.0.0/16') }] },
    addresses: (n) => [`10.66.0.${n}/16`],
    links: [
      'br0 bridge 02:45:00:00:43:21 1450',
      'v000000020000 veth 02:46:00:00:00:02 1450 port of br0',
      'vxlan0 vxlan 02:44:00:00:43:21 1450 port of br0, floods; vni 17185 local 192.0.2.1 port 14789 proxy',
    ],
    bridgeAddresses: [],
    fdb,
    neighbours: ['10.66.0.3 02:42:0a:42:00:03', '10.66.0.4 02:42:0a:42:00:04'],
    containerAddresses: ['10.66.0.2/16'],
    containerRoutes: [],
    sysctls: everyNetwork,
    inherited: { ...newLinks, 'net.ipv6.conf.br0.addr_gen_mode': '1' },
    containerSysctls: { 'net.ipv6.conf.eth0.accept_ra': '0' },
  },
  {
    what: 'an MTU at which there is no IPv6',
    network: { vni: Vni(0x2222), mtu: { kind: 'fixed', bytes: 1000 }, subnets: [v4Subnet()] },
    addresses: (n) => [`10.66.0.${n}/16`],
    links: [
      'br0 bridge 02:42:0a:42:00:01 1000',
      'v000000020000 veth 02:46:00:00:00:02 1000 port of br0',
      'vxlan0 vxlan 02:44:00:00:22:22 1000 port of br0, floods; vni 8738 local 192.0.2.1 port 14789 proxy',
    ],
    bridgeAddresses: ['10.66.0.1/16'],
    fdb,
    neighbours: ['10.66.0.3 02:42:0a:42:00:03', '10.66.0.4 02:42:0a:42:00:04'],
    containerAddresses: ['10.66.0.2/16'],
    containerRoutes: ['4 10.66.0.1 eth0 100000'],
    sysctls: everyNetwork,
    inherited: {
      'net.ipv4.conf.vxlan0.send_redirects': '0',
      'net.ipv4.conf.v000000020000.send_redirects': '0',
    },
    containerSysctls: {},
  },
];

describeOnKernel('a network on a host, as other tools read it', () => {
  let host: ContractHost;
  let overlay: NetnsPath | undefined;
  beforeEach(() => {
    host = realHost();
  });
  afterEach(async () => {
    if (overlay !== undefined) await teardown(host.kernel, overlay);
    await host.dispose();
  });

  it.each(cases)('with $what', async (expected) => {
    const id = `${Date.now().toString(16).slice(-10)}000000` as NetworkId;
    const container = await host.containerNetns();
    const rows = [2, 3, 4].map((n) => row(n, n - 1, expected.addresses(n)));
    const input = onHost(rows, {
      network: { ...blue, ...expected.network, id },
      vtep: host.underlay,
      vxlanPort: contractPort,
      sandboxes: [{ ...sandbox(2), netns: container }],
    });
    overlay = overlayNetns(id);
    expect(overlay).toBe(`/run/netns/cw-${id.slice(0, 10)}`);
    await make(host, input);
    expect(look(overlay, container)).toEqual({
      links: expected.links,
      bridgeAddresses: expected.bridgeAddresses,
      fdb: expected.fdb,
      neighbours: expected.neighbours,
      containerLinks: [`eth0 veth 02:42:0a:42:00:02 ${input.network.mtu.bytes}`],
      containerAddresses: expected.containerAddresses,
      containerRoutes: expected.containerRoutes,
    });
    const [of, ofContainer] = [{ ...expected.sysctls, ...expected.inherited }, expected.containerSysctls];
    expect(sysctls(overlay, of)).toEqual(of);
    expect(sysctls(container, ofContainer)).toEqual(ofContainer);

    // Whatever values this kernel begins with, and whatever another program sets: a plan restores all that is kept.
    for (const [key, value] of Object.entries(expected.sysctls)) flip(overlay, key, value);
    for (const [key, value] of Object.entries(ofContainer)) flip(container, key, value);
    await make(host, input);
    expect(sysctls(overlay, expected.sysctls)).toEqual(expected.sysctls);
    expect(sysctls(container, ofContainer)).toEqual(ofContainer);
  });
});

function v4Subnet(): Network['subnets'][number] {
  return { prefix: Prefix('10.66.0.0/16'), gateway: Ip('10.66.0.1') };
}

async function make({ kernel }: ContractHost, input: NetworkOnHost): Promise<void> {
  const desired = buildNetwork(input);
  expect(await applyPlan(kernel, plan(await readState(kernel, desired), desired))).toEqual([]);
}

function look(overlay: NetnsPath, container: NetnsPath): object {
  return {
    links: linksOf(overlay),
    bridgeAddresses: addressesOf(overlay, 'br0'),
    // The other entries are the kernel's own: MACs of its links, and groups.
    fdb: shown(overlay, 'bridge', 'fdb', 'show')
      .filter(({ dst, state }) => dst !== undefined || state === 'static')
      .map(({ mac, ifname, dst, state }) => `${mac} ${ifname} ${dst ?? state}`)
      .sort(),
    neighbours: shown(overlay, 'ip', 'neighbour', 'show', 'dev', 'vxlan0', 'nud', 'permanent')
      .map(({ dst, lladdr }) => `${dst} ${lladdr}`)
      .sort(),
    containerLinks: linksOf(container),
    containerAddresses: addressesOf(container, 'eth0').filter((address) => !address.startsWith('fe80:')),
    containerRoutes: ['4', '6'].flatMap((family) =>
      shown(container, 'ip', `-${family}`, 'route', 'show', 'default').map(
        ({ gateway, dev, metric }) => `${family} ${gateway} ${dev} ${metric}`,
      ),
    ),
  };
}

function linksOf(netns: NetnsPath): readonly string[] {
  return shown(netns, 'ip', 'link', 'show')
    .filter(({ ifname }) => ifname !== 'lo')
    .map(({ ifname, address, mtu, flags, master, linkinfo: { info_kind, info_data, info_slave_data: port } }) => {
      const { id, local, port: udp, learning, proxy, l2miss, l3miss } = info_data ?? {};
      const extras = [proxy && 'proxy', learning && 'learning', l2miss && 'l2miss', l3miss && 'l3miss'];
      return [
        `${ifname} ${info_kind} ${address} ${mtu}`,
        flags.includes('UP') ? '' : ' down',
        master === undefined ? '' : ` port of ${master}`,
        port?.learning ? ', learns' : '',
        port?.flood ? ', floods' : '',
        info_kind === 'vxlan' ? `; vni ${id} local ${local} port ${udp} ${extras.filter(Boolean).join(' ')}` : '',
      ].join('');
    })
    .sort();
}

function addressesOf(netns: NetnsPath, dev: string): readonly string[] {
  return shown(netns, 'ip', 'address', 'show', 'dev', dev).flatMap(({ addr_info }) =>
    addr_info.map(({ local, prefixlen }) => `${local}/${prefixlen}`),
  );
}

function sysctls(netns: NetnsPath, of: Readonly<Record<string, string>>): object {
  const values = Object.keys(of).map((key) => [key, execIn(netns, 'sysctl', '-n', key).trim()]);
  return Object.fromEntries(values);
}

function flip(netns: NetnsPath, key: string, value: string): void {
  execIn(netns, 'sysctl', '-q', '-w', `${key}=${value === '0' ? '1' : '0'}`);
}

function shown(netns: NetnsPath, command: string, ...args: string[]): readonly Shown[] {
  return JSON.parse(execIn(netns, command, '-d', '-j', ...args)) as Shown[];
}

/** The fields of `ip -j` and `bridge -j` that are used. */
interface Shown {
  readonly ifname: string;
  readonly address: string;
  readonly mtu: number;
  readonly flags: readonly string[];
  readonly master?: string;
  readonly linkinfo: {
    readonly info_kind: string;
    readonly info_data?: Readonly<Record<string, unknown>>;
    readonly info_slave_data?: { readonly learning: boolean; readonly flood: boolean };
  };
  readonly addr_info: readonly { readonly local: string; readonly prefixlen: number }[];
  readonly dst?: string;
  readonly lladdr: string;
  readonly mac: string;
  readonly state: string;
  readonly gateway: string;
  readonly dev: string;
  readonly metric: number;
}
