import { Ip, Mac, type Network, Prefix } from '@causeway/model';
import fc from 'fast-check';
import type { NetworkOnHost } from '../drivers/driver.ts';
import { hostEnd, overlayNetns } from '../drivers/overlay-names.ts';
import { blue, containerPath, endpointId, onHost, row, vtep } from './fixtures.ts';
import { allTwins } from './twins.ts';

/** The endpoints of the arbitraries; each may have a container on this host. */
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

/** What other programs may do to the network, whether or not the kernel allows it. */
export const drift = fc.oneof(
  ...allTwins
    .flatMap((twin) =>
      twin.drift({
        overlay: overlayNetns(blue.id),
        devs: ['br0', 'vxlan0', ...numbers.map((number) => hostEnd(endpointId(number)))],
        containers: numbers.map((number) => ({ netns: containerPath(number), number })),
        macs: [row(2, 1).mac, row(5, 1).mac, Mac('02:42:0a:42:63:63')],
        ips: [Ip('10.66.0.2'), Ip('fd66::5'), Ip('10.66.99.99')],
        vteps: [vtep(2), vtep(9)],
      }),
    )
    .map((alternatives) => fc.constantFrom(...alternatives)),
);
