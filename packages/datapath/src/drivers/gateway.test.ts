import fc from 'fast-check';
import { expect, it } from 'vitest';
import { byGatewayRank, type GatewayRank, gatewayPriorities, routeMetric } from './gateway.ts';

it.each<[string, GatewayRank, number]>([
  ['the first interface', { priority: 0, slot: 0 }, 100_000],
  ['a later interface', { priority: 0, slot: 7 }, 100_007],
  ['the largest priority', { priority: 50, slot: 0 }, 50_000],
  ['the smallest priority', { priority: -50, slot: 0 }, 150_000],
  ['the last slot with a metric of its own', { priority: 0, slot: 999 }, 100_999],
  ['a slot beyond that: it stays within its priority', { priority: 0, slot: 5_000 }, 100_999],
])('the metric of %s', (_, rank, metric) => expect(routeMetric(rank)).toBe(metric));

const { least, most } = gatewayPriorities;
const rank = fc.record({ priority: fc.integer({ min: least, max: most }), slot: fc.nat({ max: 999 }) });

it('the order of ranks is the order of metrics, whose smallest the kernel takes', () => {
  fc.assert(
    fc.property(rank, rank, (a, b) => {
      const order = byGatewayRank({ gateway: a }, { gateway: b });
      expect(Math.sign(order)).toBe(Math.sign(routeMetric(a) - routeMetric(b)));
    }),
  );
});

it("a container's own default routes win: of metric 0, for IPv6 1024", () => {
  fc.assert(fc.property(rank, (each) => routeMetric(each) > 1024));
});
