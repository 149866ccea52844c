import { familyOf, type Ip, type Prefix } from '@causeway/model';
import { type MessageReader, NETLINK_ROUTE } from '@causeway/netlink';
import { isOurLink } from '../owner.ts';
import type { NetnsPath } from '../state.ts';
import { RTM_DELROUTE, RTM_NEWROUTE, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE } from '../wire/constants.ts';
import { deleteRoute, dumpRoutes, isOfMainTable, readRoute, setRoute } from '../wire/route.ts';
import { compareMaps } from './compare-maps.ts';
import { by, isSame, type Same } from './equal.ts';
import type { Kind, Reading, Step, Verdict } from './kind.ts';
import { byKey, describeDifference, tool, v6 } from './printing.ts';
import type { Namespace } from './table.ts';

export interface Route {
  readonly dst: Prefix;
  /** Absent: the destination is on link. */
  readonly gateway?: Ip;
  readonly dev: string;
  /** The smallest wins; routes that differ in metric exist side by side. Never 0 for IPv6: the kernel turns 0 into 1024. */
  readonly metric: number;
}

/** Replaces the route with this destination and metric, or deletes only that route. */
export type RouteOp = {
  readonly op: 'route.set' | 'route.delete';
  readonly netns: NetnsPath;
  readonly route: Route;
};

const same: Same<Route> = { dst: by('dst'), gateway: by('gateway'), dev: by('dev'), metric: by('metric') };

/** Unicast routes of the main table, except those that the kernel makes by itself. */
export const route: Kind<'route', Prefix, Route, RouteOp> = {
  name: 'route',
  slot: 'routes',
  ops: ['route.set', 'route.delete'],
  stage: 'entry',
  compare: (found, desired) => compareMaps(found?.routes, desired?.routes, sameRoute),
  isOurs: isOurLink,
  describe: (difference) => ({ key: difference.key, ...describeDifference(difference, printRoute) }),
  list: ({ routes }) => [...routes].sort(byKey).map(([, each]) => `route ${printRoute(each)}`),

  /** Our route does not replace a route of another metric, but that route can hide ours, so it is deleted. */
  steps(netns, { actual, desired }) {
    const steps: Step<RouteOp>[] = [];
    if (desired !== undefined) steps.push(['set route', { op: 'route.set', netns, route: desired }]);
    if (actual !== undefined && actual.metric !== desired?.metric) {
      steps.push(['delete route', { op: 'route.delete', netns, route: actual }]);
    }
    return steps;
  },
  print({ op, netns, route: each }) {
    const verb = op === 'route.set' ? 'replace' : 'delete';
    return `${tool('ip', netns)}${v6(each.dst)} route ${verb} ${printRoute(each)}`;
  },
  device: (op) => op.route.dev,
  additive: (op, found) => (op.op === 'route.set' && found?.routes.has(op.route.dst) !== true ? op : undefined),

  follow({ routes }, dev, what) {
    for (const [dst, each] of routes) {
      const family = familyOf(dst);
      const falls = what === 'gone' || (what === 'no IPv4' && family === 4) || (what === 'no IPv6' && family === 6);
      if (each.dev === dev && falls) routes.delete(dst);
    }
  },

  real: {
    protocol: NETLINK_ROUTE,
    groups: [RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE],
    events: new Map([
      [RTM_NEWROUTE, isOfMainTable],
      [RTM_DELROUTE, isOfMainTable],
    ]),
    judge,
    read: readRoutes,
    apply(to, { op, netns, route: { dev, ...rest } }) {
      const encode = op === 'route.set' ? setRoute : deleteRoute;
      to.socket(netns, NETLINK_ROUTE).request(encode({ ...rest, index: to.linkIndex(netns, dev) }));
    },
    absent: ['ESRCH'],
  },
};

export function sameRoute(a: Route, b: Route): boolean {
  return isSame(same, a, b);
}

function printRoute({ dst, gateway, dev, metric }: Route): string {
  const to = dst.endsWith('/0') ? 'default' : dst;
  return `${to}${gateway === undefined ? '' : ` via ${gateway}`} dev ${dev} metric ${metric}`;
}

/** A route of another metric on the same link can hide the desired route, so its absence is desired. */
function judge(
  message: MessageReader,
  desired: Namespace,
  nameOf: (index: number) => string | undefined,
): Verdict | undefined {
  const found = isOfMainTable(message) ? readRoute(message) : undefined;
  if (found === undefined) return undefined;
  const { index, ...rest } = found;
  const wanted = desired.routes.get(found.dst);
  if (wanted === undefined || wanted.dev !== nameOf(index)) return undefined;
  const isThere = message.type === RTM_NEWROUTE;
  const isAsDesired =
    found.metric === wanted.metric ? isThere && sameRoute({ ...rest, dev: wanted.dev }, wanted) : !isThere;
  return { key: `route ${found.dst} ${found.metric}`, isAsDesired };
}

/** For each destination the route that wins. */
function readRoutes({ links, socket }: Reading): Promise<ReadonlyMap<Prefix, Route>> {
  // A host may have a million routes, and the agent has no link there.
  if (links.size === 0) return Promise.resolve(new Map());
  return socket(NETLINK_ROUTE).dump(
    dumpRoutes,
    () => new Map<Prefix, Route>(),
    (found, message) => {
      const record = readRoute(message);
      if (record === undefined) return;
      const { index, dst, gateway, metric } = record;
      const link = links.get(index);
      if (link === undefined) return;
      const known = found.get(dst);
      if (known !== undefined && known.metric <= metric) return;
      found.set(dst, { dst, dev: link.name, metric, ...(gateway !== undefined && { gateway }) });
    },
  );
}
