import { type EndpointId, type EndpointRow, Ip, type NetworkId, Prefix, Vni } from '@causeway/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostNetns, type NetnsPath } from '../state.ts';
import { networkOnHost } from '../testing/arbitraries.ts';
import { blue, containerPath, onHost, row, sandbox } from '../testing/fixtures.ts';
import { buildNetwork, buildPeers } from './build.ts';
import type { NetworkOnHost } from './driver.ts';
import { bridgeMac, bridgeName, hostEnd, hostEndMac, overlayNetns, vxlanMac, vxlanName } from './overlay-names.ts';
import { Peers } from './peers.ts';

const netns = overlayNetns(blue.id);
const container = containerPath(2);
const own = row(2, 1);

describe('names and MACs', () => {
  const endpoint = '0123456789abcdef' as EndpointId;
  it.each([
    [overlayNetns('0123456789abcdef' as NetworkId), '/run/netns/cw-0123456789'],
    [hostEnd(endpoint), 'v0123456789ab'],
    [hostEndMac(endpoint), '02:46:01:23:45:67'],
    [vxlanMac(Vni(0x12_3456)), '02:44:00:12:34:56'],
    [bridgeMac(Vni(0xff_ffff)), '02:45:00:ff:ff:ff'],
    [vxlanMac(Vni(1)), '02:44:00:00:00:01'],
  ])('%s', (name, expected) => expect(name).toBe(expected));
});

it('the peers of a network are the entries of its tunnel', () => {
  fc.assert(
    fc.property(networkOnHost, (input) => {
      const path = overlayNetns(input.network.id);
      const [whole, part] = [buildNetwork(input).get(path), buildPeers(input).get(path)];
      expect(part?.fdb.get(vxlanName)).toEqual(whole?.fdb.get(vxlanName));
      expect(part?.neighbours).toEqual(whole?.neighbours);
      expect(part?.links.size).toBe(0);
    }),
  );
});

it('peers that are known already stay', () => {
  const peers = new Peers({ node: own.node });
  peers.add(row(7, 2));
  const state = buildNetwork(onHost([own, row(8, 3)]), peers).get(netns);
  expect([...(state?.fdb.get(vxlanName)?.keys() ?? [])]).toEqual([row(7, 2).mac, row(8, 3).mac]);
});

/** The default routes of the container of `own`: "eth0 via 10.66.0.1". */
function defaults(input: NetworkOnHost, of: NetnsPath = container): readonly string[] {
  return [...(buildNetwork(input).get(of)?.routes.values() ?? [])].map(({ dev, gateway }) => `${dev} via ${gateway}`);
}

describe('the default route of a container', () => {
  const second = { ...sandbox(3), netns: container, ifname: 'eth1' };
  const two = (priority: number, slot: number): NetworkOnHost =>
    onHost([own, row(3, 1)], { sandboxes: [{ ...second, gateway: { priority, slot } }, sandbox(2)] });

  it.each<[string, NetworkOnHost, readonly string[]]>([
    ['one for each family', onHost([own]), ['eth0 via 10.66.0.1', 'eth0 via fd66::1']],
    ['by the older of two interfaces', two(0, 1), ['eth0 via 10.66.0.1', 'eth0 via fd66::1']],
    ['by the interface of the larger priority', two(1, 1), ['eth1 via 10.66.0.1', 'eth1 via fd66::1']],
    [
      'none where the subnet has no gateway',
      onHost([own], { network: { ...blue, subnets: [{ prefix: Prefix('10.66.0.0/16') }] } }),
      [],
    ],
    [
      'by the gateway of the subnet that the address is in',
      onHost([row(2, 1, ['10.77.0.2/24'])], {
        network: {
          ...blue,
          subnets: [...blue.subnets, { prefix: Prefix('10.77.0.0/24'), gateway: Ip('10.77.0.254') }],
        },
      }),
      ['eth0 via 10.77.0.254'],
    ],
    ['none for an address outside the subnets', onHost([row(2, 1, ['10.99.0.2/24'])]), []],
  ])('%s', (_, input, expected) => expect(defaults(input)).toEqual(expected));
});

describe('the bridge of a network', () => {
  const [v4, v6] = blue.subnets;
  const bridgeOf = (over: Partial<typeof blue>): unknown =>
    buildNetwork(onHost([own], { network: { ...blue, ...over } as typeof blue }))
      .get(netns)
      ?.links.get(bridgeName)?.mac;
  const first = bridgeOf({ subnets: v4 === undefined ? [] : [v4] });

  it.each<[string, readonly (typeof v4)[], unknown]>([
    ['of its IPv4 gateway', [v4, v6], first],
    ['of its IPv4 gateway, in whatever order', [v6, v4], first],
    ['of its number, without a gateway', [{ prefix: Prefix('10.66.0.0/16') }], bridgeMac(blue.vni)],
  ])('has the MAC %s', (_, subnets, mac) => expect(bridgeOf({ subnets: subnets as typeof blue.subnets })).toBe(mac));

  it('has the MAC of its IPv6 gateway when that is its only gateway', () => {
    const mac = bridgeOf({ subnets: v6 === undefined ? [] : [v6] });
    expect([mac === first, mac === bridgeMac(blue.vni)]).toEqual([false, false]);
  });
});

describe('the sysctls of IPv6', () => {
  const routing = `net.ipv6.conf.${bridgeName}.addr_gen_mode`;
  const accepting = 'net.ipv6.conf.eth0.accept_ra';
  const noV6 = { subnets: blue.subnets.slice(0, 1) };
  it.each<[string, object, boolean, boolean]>([
    ['a gateway of IPv6', {}, true, true],
    ['no gateway of IPv6', noV6, false, true],
    ['the smallest MTU of IPv6', { mtu: { kind: 'fixed', bytes: 1280 } }, true, true],
    ['an MTU that is too small for IPv6', { mtu: { kind: 'fixed', bytes: 1279 } }, false, false],
  ])('with %s: a router has its address: %s, a container takes none from others: %s', (_, over, isRouter, isHost) => {
    const state = buildNetwork(onHost([own], { network: { ...blue, ...over } as typeof blue }));
    expect(state.get(netns)?.sysctls.get(routing)).toBe(isRouter ? '0' : undefined);
    expect(state.get(container)?.sysctls.get(accepting)).toBe(isHost ? '0' : undefined);
  });
});

it('an endpoint needs a row of this host and a sandbox to have a container', () => {
  const containersOf = (rows: readonly EndpointRow[], numbers: readonly number[]): readonly NetnsPath[] => {
    const state = buildNetwork(onHost(rows, { sandboxes: numbers.map(sandbox) }));
    return [...state.keys()].filter((path) => path !== netns && path !== hostNetns);
  };
  expect(containersOf([own, row(3, 1)], [2])).toEqual([container]);
  expect(containersOf([own, row(9, 2)], [2, 9, 5])).toEqual([container]);
  expect(containersOf([own], [])).toEqual([]);
});
