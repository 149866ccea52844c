import { contains, family, familyOf, Ip, Prefix, prefixOf } from '@causeway/model';
import type { Route, RouteOp } from '../../kinds/route.ts';
import { routeCases } from '../contract/route.ts';
import { type FakeNamespace, findLink, perOwner, Refusal } from '../fake/host.ts';
import type { Twin } from '../twin.ts';
import { addressesOf } from './address.ts';

/** The routes of a namespace. Several may have the same destination and different metrics. */
export const routesOf = perOwner<FakeNamespace, Route[]>(() => []);

export const route: Twin<RouteOp> = {
  execute(namespace, { op, route: each }) {
    if (op === 'route.set') checkGateway(namespace, each);
    removeRoutes(
      namespace,
      ({ dst, metric, dev }) => dst === each.dst && metric === each.metric && (op === 'route.set' || dev === each.dev),
    );
    if (op === 'route.set') routesOf(namespace).push(each);
  },
  view(namespace, links) {
    const routes = new Map<Prefix, Route>();
    for (const each of routesOf(namespace)) {
      const other = routes.get(each.dst);
      if (links.has(each.dev) && (other === undefined || each.metric < other.metric)) routes.set(each.dst, each);
    }
    return routes;
  },
  follow(namespace, { link: { name } }, what) {
    const falls = { gone: [4, 6], down: [4, 6], 'no IPv4': [4], 'no IPv6': [6] } as Partial<Record<string, number[]>>;
    removeRoutes(namespace, ({ dev, dst }) => dev === name && falls[what]?.includes(familyOf(dst)) === true);
  },
  report: (changes) => {
    changes.more = true;
  },
  cases: routeCases,
  drift({ containers }) {
    const stray = { dst: Prefix('0.0.0.0/0'), gateway: Ip('10.66.0.9'), dev: 'eth0' };
    return [
      containers.map(({ netns }) => ({ op: 'route.set', netns, route: { ...stray, metric: 10 } })),
      containers.map(({ netns }) => ({ op: 'route.delete', netns, route: { ...stray, metric: 100_000 } })),
    ];
  },
};

function checkGateway(namespace: FakeNamespace, { dev, gateway }: Route): void {
  const found = findLink(namespace, dev);
  const { up } = found.link;
  const reachable = up && [...addressesOf(found)].some((each) => gateway && contains(prefixOf(each), gateway));
  if (gateway !== undefined && !reachable) {
    throw family(gateway) === 4
      ? new Refusal('ENETUNREACH', 'Nexthop has invalid gateway')
      : new Refusal('EHOSTUNREACH', 'No route to host');
  }
  if (!up) throw new Refusal('ENETDOWN', 'Device for nexthop is not up');
}

function removeRoutes(namespace: FakeNamespace, which: (route: Route) => boolean): void {
  const routes = routesOf(namespace);
  routes.splice(0, routes.length, ...routes.filter((each) => !which(each)));
}
