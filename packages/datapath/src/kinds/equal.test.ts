import { Ip, Mac, Prefix, Vni } from '@causeway/model';
import { describe, expect, it } from 'vitest';
import { sameTarget } from './fdb.ts';
import { type BridgePort, type Link, sameLink, type Vxlan } from './link/link.ts';
import { samePort } from './port.ts';
import { type Route, sameRoute } from './route.ts';

const mac = Mac('02:42:0a:42:00:01');
const vxlan: Vxlan = {
  ...{ kind: 'vxlan', name: 'vxlan0', mac, mtu: 1450, up: true, vni: Vni(4096), port: 4789, local: Ip('192.0.2.1') },
};
const route: Route = { dst: Prefix('0.0.0.0/0'), gateway: Ip('10.66.0.1'), dev: 'eth0', metric: 100_000 };
const port: BridgePort = { master: 'br0', learning: false, flood: true };

describe('two things of a kind', () => {
  it.each<[string, Partial<Vxlan>]>([
    ['MAC', { mac: Mac('02:42:0a:42:00:02') }],
    ['MTU', { mtu: 1400 }],
    ['state', { up: false }],
    ['VNI', { vni: Vni(4097) }],
    ['port', { port: 4790 }],
    ['local address', { local: Ip('192.0.2.2') }],
  ])('are links that differ in %s', (_, change) => {
    expect(sameLink(vxlan, { ...vxlan })).toBe(true);
    expect(sameLink(vxlan, { ...vxlan, ...change })).toBe(false);
  });

  it('are links of different kinds', () => {
    const kinds: Link[] = (['bridge', 'veth', 'foreign'] as const).map((kind) => ({
      kind,
      name: 'a',
      mac,
      mtu: 1,
      up: true,
    }));
    for (const a of kinds) for (const b of kinds) expect(sameLink(a, b)).toBe(a === b);
  });

  it('are links that differ in what is compared elsewhere, and so are the same', () => {
    expect(sameLink(vxlan, { ...vxlan, bridgePort: port })).toBe(true);
    const veth: Link = { kind: 'veth', name: 'v1', mac, mtu: 1450, up: true };
    const peer = { netns: '/run/netns/web' as never, name: 'eth0', mac, mtu: 1450 };
    expect(sameLink(veth, { ...veth, peer })).toBe(true);
  });

  it.each<[string, Partial<Route>]>([
    ['destination', { dst: Prefix('10.0.0.0/8') }],
    ['gateway', { gateway: Ip('10.66.0.2') }],
    ['device', { dev: 'eth1' }],
    ['metric', { metric: 1 }],
  ])('are routes that differ in %s', (_, change) => {
    expect(sameRoute(route, { ...route })).toBe(true);
    expect(sameRoute(route, { ...route, ...change })).toBe(false);
    const { gateway: __, ...onLink } = route;
    expect(sameRoute(route, onLink)).toBe(false);
  });

  it.each<[string, Partial<BridgePort>]>([
    ['bridge', { master: 'br1' }],
    ['learning', { learning: true }],
    ['flooding', { flood: false }],
  ])('are ports that differ in %s', (_, change) => {
    expect(samePort(port, { ...port })).toBe(true);
    expect(samePort(port, { ...port, ...change })).toBe(false);
  });

  it('are the VTEPs of a MAC, in whatever order the kernel lists them', () => {
    const [a, b] = [Ip('192.0.2.1'), Ip('192.0.2.2')];
    expect(sameTarget([a, b], [b, a])).toBe(true);
    expect(sameTarget(a, [a])).toBe(true);
    expect([sameTarget(a, b), sameTarget([a, b], a), sameTarget('port', a)]).toEqual([false, false, false]);
    const c = Ip('192.0.2.3');
    for (const others of [[a], [b, c], [c], [a, b, c], [a, c]]) {
      expect([sameTarget([a, b], others), sameTarget(others, [a, b])]).toEqual([false, false]);
    }
  });
});
