import { assertNever, family } from '@causeway/model';
import {
  compareAddresses,
  compareEntries,
  compareLinks,
  compareNamespaces,
  comparePorts,
  compareSysctls,
  type Mismatch,
} from './compare.ts';
import { forecast } from './forecast.ts';
import type { LinkChange, Op } from './op.ts';
import { isOurEnd } from './owner.ts';
import { possible } from './possible.ts';
import { finish, type Sliced } from './sliced.ts';
import { interfaceOf, type Link, type NetnsPath, type Route, type State, type Veth } from './state.ts';

/**
 * The order of a plan: what is later needs what is earlier. Adding comes before deleting, so that what stays reachable
 * is reachable all the while; deleted before is only what the kernel does not let go alone.
 */
const order = [
  'add namespace',
  'set sysctl of namespace', // new links take over what "default" says
  'delete link in the way',
  'add bridge',
  'add link',
  'shrink container', // before what it sends through: nothing is ever larger than its way out
  'change link',
  'grow container',
  'set sysctl of link', // before it is up: a router advertisement would be faster
  'set port',
  'set link up',
  'add address',
  'delete address', // the last IPv4 one takes a link's neighbours and routes along: before those are set
  'set route', // its gateway must be on a link that is up
  'set FDB entry',
  'set neighbour',
  'delete neighbour',
  'delete FDB entry',
  'delete route',
  'delete link', // before their namespace: a VNI of a dying one stays taken for up to a second
  'delete namespace',
] as const;

type Place = (typeof order)[number];
type Step = readonly [Place, Op];

/** The ops that make the kernel hold what is wanted of what is ours. None when it does. */
export function plan(actual: State, desired: State): Op[] {
  return finish(planSliced(actual, desired));
}

export function* planSliced(actual: State, desired: State): Sliced<Op[]> {
  const wanted = possible(actual, desired).state;
  const made = [...namespaceSteps(actual, wanted), ...linkSteps(actual, wanted)];
  const withLinks = forecast(actual, opsOf(made));
  const changed = compareLinks(withLinks, wanted).flatMap(changeSteps);
  const asWanted = forecast(withLinks, opsOf(changed));
  const joined = [...comparePorts(asWanted, wanted), ...compareAddresses(asWanted, wanted)].flatMap(entrySteps);
  const connected = forecast(asWanted, opsOf(joined));
  const entries = compareSysctls(connected, wanted).flatMap(entrySteps);
  for (const mismatch of compareEntries(connected, wanted)) {
    if (mismatch === undefined) yield;
    else entries.push(...entrySteps(mismatch));
  }
  return opsOf([...made, ...changed, ...joined, ...entries]);
}

/** In order; what has the same place stays as it came. */
function opsOf(steps: readonly Step[]): Op[] {
  const byPlace = new Map<Place, Op[]>(order.map((place) => [place, []]));
  for (const [place, op] of steps) byPlace.get(place)?.push(op);
  return [...byPlace.values()].flat();
}

function namespaceSteps(actual: State, wanted: State): Step[] {
  return compareNamespaces(actual, wanted).map(({ netns, intended }) =>
    intended === undefined
      ? ['delete namespace', { op: 'netns.delete', netns }]
      : ['add namespace', { op: 'netns.add', netns }],
  );
}

/** Links that are not there or cannot become what is wanted; links nobody wants. */
function linkSteps(actual: State, wanted: State): Step[] {
  const extra = compareLinks(actual, wanted)
    .filter(({ intended }) => intended === undefined)
    .map(({ netns, name, actual: found }): Step => {
      // A tunnel under another name holds the VNI the wanted one needs.
      const place = found?.kind === 'vxlan' ? 'delete link in the way' : 'delete link';
      return [place, { op: 'link.delete', netns, name }];
    });
  const missing = [...wanted].flatMap(([netns, { links }]) =>
    [...links.values()].flatMap((link) => makeSteps(actual, wanted, netns, link)),
  );
  return [...extra, ...missing];
}

function makeSteps(actual: State, wanted: State, netns: NetnsPath, link: Link): Step[] {
  // A container's end is made with the other end.
  if (link.kind === 'foreign' || (link.kind === 'veth' && link.peer === undefined)) return [];
  const found = actual.get(netns)?.links.get(link.name);
  const far = link.kind === 'veth' ? farEnd(actual, wanted, link) : undefined;
  const whole = found !== undefined && canBecome(found, link) && far?.whole !== false;
  if (whole) return [];
  const add: Step = [link.kind === 'bridge' ? 'add bridge' : 'add link', { op: 'link.add', netns, link }];
  const inTheWay = [...(found === undefined ? [] : [{ netns, name: link.name }]), ...(far?.inTheWay ?? [])];
  return [...inTheWay.map((end): Step => ['delete link in the way', { op: 'link.delete', ...end }]), add];
}

/** The container's end of a pair: whether it is there, and what of it would hinder a new one. */
function farEnd(
  actual: State,
  wanted: State,
  { peer }: Veth,
): { whole: boolean; inTheWay: { netns: NetnsPath; name: string }[] } | undefined {
  if (peer === undefined || !wanted.has(peer.netns)) return undefined;
  const found = actual.get(peer.netns)?.links.get(peer.name);
  const inTheWay = found !== undefined && isOurEnd(found, peer) ? [{ netns: peer.netns, name: peer.name }] : [];
  return { whole: found?.kind === 'veth', inTheWay };
}

/** What the kernel cannot change in a link that exists: its kind; of a tunnel its VNI, port and family. */
function canBecome(found: Link, wanted: Link): boolean {
  if (found.kind !== 'vxlan' || wanted.kind !== 'vxlan') return found.kind === wanted.kind;
  const sameFamily = family(found.local) === family(wanted.local);
  return found.vni === wanted.vni && found.port === wanted.port && sameFamily;
}

function changeSteps({ netns, name, actual, intended }: Extract<Mismatch, { kind: 'link' }>): Step[] {
  if (actual === undefined || intended === undefined) return [];
  const change: LinkChange = {
    ...(actual.mac !== intended.mac && { mac: intended.mac }),
    ...(actual.mtu !== intended.mtu && { mtu: intended.mtu }),
    ...localChange(actual, intended),
  };
  const steps: Step[] = [];
  if (Object.keys(change).length > 0) {
    steps.push([changePlace(actual, intended), { op: 'link.set', netns, name, change }]);
  }
  if (!actual.up && intended.up) {
    steps.push(['set link up', { op: 'link.set', netns, name, change: { up: true } }]);
  }
  return steps;
}

/** A container's end is the one veth that is no port. */
function changePlace(actual: Link, intended: Link): Place {
  if (intended.kind !== 'veth' || intended.peer !== undefined) return 'change link';
  if (intended.mtu < actual.mtu) return 'shrink container';
  return intended.mtu > actual.mtu ? 'grow container' : 'change link';
}

function localChange(actual: Link, intended: Link): LinkChange {
  if (actual.kind !== 'vxlan' || intended.kind !== 'vxlan' || actual.local === intended.local) return {};
  return { local: intended.local };
}

function entrySteps(of: Mismatch): Step[] {
  const { netns } = of;
  switch (of.kind) {
    case 'port':
      if (of.intended === undefined) return [];
      return [['set port', { op: 'link.set', netns, name: of.name, change: { bridgePort: of.intended } }]];
    case 'sysctl':
      if (of.intended === undefined) return [];
      return [
        [
          interfaceOf(of.key) === undefined ? 'set sysctl of namespace' : 'set sysctl of link',
          { op: 'sysctl.set', netns, key: of.key, value: of.intended },
        ],
      ];
    case 'address': {
      const { dev, address } = of;
      return of.intended === undefined
        ? [['delete address', { op: 'address.delete', netns, dev, address }]]
        : [['add address', { op: 'address.add', netns, dev, address }]];
    }
    case 'route':
      return routeSteps(netns, of.actual, of.intended);
    case 'fdb': {
      const { dev, mac } = of;
      if (typeof of.intended === 'string') {
        return [['set FDB entry', { op: 'fdb.set', netns, dev, mac, target: of.intended }]];
      }
      return of.actual === undefined
        ? []
        : [['delete FDB entry', { op: 'fdb.delete', netns, dev, mac, target: of.actual }]];
    }
    case 'neighbour': {
      const { dev, ip } = of;
      return of.intended === undefined
        ? [['delete neighbour', { op: 'neighbour.delete', netns, dev, ip }]]
        : [['set neighbour', { op: 'neighbour.set', netns, dev, ip, mac: of.intended }]];
    }
    case 'netns':
    case 'link':
      return [];
    default:
      return assertNever(of);
  }
}

/** A route of another metric is not replaced by ours, but hides it. */
function routeSteps(netns: NetnsPath, actual: Route | undefined, intended: Route | undefined): Step[] {
  const steps: Step[] = [];
  if (intended !== undefined) steps.push(['set route', { op: 'route.set', netns, route: intended }]);
  if (actual !== undefined && actual.metric !== intended?.metric) {
    steps.push(['delete route', { op: 'route.delete', netns, route: actual }]);
  }
  return steps;
}
