import { Ip, Prefix } from '@causeway/model';
import { type ContractCase, container4, container6, must, outcome, overlay, read, same, v4, v6 } from './host.ts';

export const routeCases: readonly ContractCase[] = [
  {
    name: 'routes: replaced by destination and metric, side by side in different metrics',
    async run(host) {
      const { container: netns } = await overlay(host);
      const dev = 'eth0';
      await must(
        host,
        { op: 'address.add', netns, dev, address: container4 },
        { op: 'address.add', netns, dev, address: container6 },
      );
      for (const [{ dst, gateway }, other] of [
        [v4, Ip('10.66.0.3')],
        [v6, Ip('fd66::3')],
      ] as const) {
        const ours = { dst, gateway, dev, metric: 5000 };
        await must(host, { op: 'route.set', netns, route: { ...ours, gateway: other } });
        await must(host, { op: 'route.set', netns, route: ours });
        same((await read(host, netns)).routes.get(dst), ours, 'replaced');
        const lower = { ...ours, gateway: other, metric: 4000 };
        await must(host, { op: 'route.set', netns, route: lower });
        same((await read(host, netns)).routes.get(dst), lower, 'the lowest metric is found');
        await must(host, { op: 'route.delete', netns, route: lower });
        same((await read(host, netns)).routes.get(dst), ours, 'the other one is still there');
      }
      const onLink = { dst: Prefix('10.99.0.0/16'), dev, metric: 7 };
      await must(host, { op: 'route.set', netns, route: onLink });
      same((await read(host, netns)).routes.get(onLink.dst), onLink, 'on link');
    },
  },
  {
    name: 'a gateway that no link reaches is refused',
    async run(host) {
      const { container: netns } = await overlay(host);
      const dev = 'eth0';
      await must(host, { op: 'address.add', netns, dev, address: container4 });
      const via = (dst: Prefix, gateway: Ip) =>
        outcome(host, { op: 'route.set', netns, route: { dst, gateway, dev, metric: 5000 } });
      same(await via(v4.dst, Ip('10.67.0.1')), 'ENETUNREACH', 'IPv4');
      same(await via(v6.dst, Ip('fd67::1')), 'EHOSTUNREACH', 'IPv6');
    },
  },
];
