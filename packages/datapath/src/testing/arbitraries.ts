import { InterfaceAddress, Ip, Mac, type Network, Prefix } from '@causeway/model';
import fc from 'fast-check';
import type { NetworkOnHost } from '../drivers/driver.ts';
import { hostEnd, overlayNetns } from '../drivers/overlay-names.ts';
import type { Op } from '../op.ts';
import { blue, containerPath, endpointId, onHost, row, vtep } from './fixtures.ts';

const netns = overlayNetns(blue.id);
/** Endpoints the arbitraries speak of; each may have a container here. */
export const numbers = [2, 3, 4, 5, 6, 7];

const network = fc
  .record({
    bytes: fc.constantFrom(1280, 1400, 1450),
    gateway: fc.constantFrom(Ip('10.66.0.1'), Ip('10.66.0.254'), undefined),
  })
  .map(({ bytes, gateway }): Network => {
    const v4 = { prefix: Prefix('10.66.0.0/16'), ...(gateway && { gateway }) };
    const v6 = { prefix: Prefix('fd66::/64'), gateway: Ip('fd66::1') };
    return { ...blue, mtu: { kind: 'fixed', bytes }, subnets: [v4, v6] };
  });

/** A host and a network: each endpoint is on this host (with or without a sandbox), on one of two others, or nowhere. */
export const networkOnHost = fc
  .record({
    network,
    places: fc.tuple(...numbers.map(() => fc.constantFrom('here', 'unready', 2, 3, 'nowhere' as const))),
    port: fc.constantFrom(4789, 4790),
  })
  .map(({ network, places, port }): NetworkOnHost => {
    const rows = numbers.flatMap((number, index) => {
      const place = places[index];
      if (place === undefined || place === 'nowhere') return [];
      return [row(number, typeof place === 'number' ? place : 1)];
    });
    const unready = numbers.filter((_, index) => places[index] === 'unready').map(endpointId);
    const input = onHost(rows, { network, vxlanPort: port });
    return { ...input, sandboxes: input.sandboxes.filter(({ endpoint }) => !unready.includes(endpoint)) };
  });

const dev = fc.constantFrom('br0', 'vxlan0', ...numbers.map((number) => hostEnd(endpointId(number))));
const mac = fc.constantFrom(row(2, 1).mac, row(5, 1).mac, Mac('02:42:0a:42:63:63'));
const ip = fc.constantFrom(Ip('10.66.0.2'), Ip('fd66::5'), Ip('10.66.99.99'));
const inOverlay = { netns } as const;
const inContainer = fc.constantFrom(...numbers).map((number) => ({ netns: containerPath(number) }));
const v4Route = { dst: Prefix('0.0.0.0/0'), gateway: Ip('10.66.0.9'), dev: 'eth0' };

/** What somebody else may do to it, whether or not the kernel lets them. */
export const damage = fc.oneof<fc.Arbitrary<Op>[]>(
  dev.map((name) => ({ op: 'link.delete', ...inOverlay, name })),
  fc
    .record({ name: dev, up: fc.boolean() })
    .map(({ name, up }) => ({ op: 'link.set', ...inOverlay, name, change: { up } })),
  fc
    .record({ name: dev, mac })
    .map(({ name, mac: to }) => ({ op: 'link.set', ...inOverlay, name, change: { mac: to } })),
  fc
    .record({ name: dev, mtu: fc.constantFrom(1000, 1300) })
    .map(({ name, mtu }) => ({ op: 'link.set', ...inOverlay, name, change: { mtu } })),
  fc
    .record({ dev, mac, target: fc.constantFrom<'port' | Ip>('port', vtep(2), vtep(9)) })
    .map((entry) => ({ op: 'fdb.set', ...inOverlay, ...entry })),
  fc
    .record({ dev, mac, target: fc.constantFrom<'port' | Ip>('port', vtep(2)) })
    .map((entry) => ({ op: 'fdb.delete', ...inOverlay, ...entry })),
  fc.record({ dev, ip, mac }).map((entry) => ({ op: 'neighbour.set', ...inOverlay, ...entry })),
  fc.record({ dev, ip }).map((entry) => ({ op: 'neighbour.delete', ...inOverlay, ...entry })),
  fc
    .record({ dev, address: fc.constantFrom(InterfaceAddress('10.66.0.1/16'), InterfaceAddress('10.66.0.77/16')) })
    .map((entry) => ({ op: 'address.add', ...inOverlay, ...entry })),
  fc.constant({ op: 'address.delete', ...inOverlay, dev: 'br0', address: InterfaceAddress('10.66.0.1/16') }),
  fc.constant({ op: 'sysctl.set', ...inOverlay, key: 'net.ipv4.ip_forward', value: '0' }),
  fc.constantFrom(...numbers).map((number) => {
    const address = InterfaceAddress(`10.66.0.${number}/16`);
    return { op: 'address.delete', netns: containerPath(number), dev: 'eth0', address };
  }),
  inContainer.map((at) => ({ op: 'link.delete', ...at, name: 'eth0' })),
  fc
    .record({ at: inContainer, mac })
    .map(({ at, mac: to }) => ({ op: 'link.set', ...at, name: 'eth0', change: { mac: to } })),
  inContainer.map((at) => ({ op: 'link.set', ...at, name: 'eth0', change: { up: false } })),
  inContainer.map((at) => ({ op: 'link.set', ...at, name: 'eth0', change: { mtu: 1000 } })),
  inContainer.map((at) => ({ op: 'route.set', ...at, route: { ...v4Route, metric: 10 } })),
  inContainer.map((at) => ({ op: 'route.delete', ...at, route: { ...v4Route, metric: 100_000 } })),
);
