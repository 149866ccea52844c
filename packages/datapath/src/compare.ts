import type { InterfaceAddress, Ip, Mac } from '@causeway/model';
import { newNamespace } from './draft.ts';
import { isOverlayNetns } from './owner.ts';
import { linkWords, printPort, printRoute, targets } from './print.ts';
import type { BridgePort, FdbTarget, Link, Namespace, NetnsPath, Route, State } from './state.ts';

/** What is found and what is wanted of one thing, when they are not the same. Absent: not there, or not wanted. */
interface Sides<Found, Wanted = Found> {
  readonly netns: NetnsPath;
  readonly actual: Found | undefined;
  readonly intended: Wanted | undefined;
}

/** One thing of a kernel that is not as it should be. The plan and the list of differences are both made of these. */
export type Mismatch =
  | ({ readonly kind: 'netns' } & Sides<'present'>)
  | ({ readonly kind: 'link'; readonly name: string } & Sides<Link>)
  | ({ readonly kind: 'port'; readonly name: string } & Sides<BridgePort>)
  | ({ readonly kind: 'sysctl'; readonly key: string } & Sides<string>)
  | ({ readonly kind: 'address'; readonly dev: string; readonly address: InterfaceAddress } & Sides<'present'>)
  | ({ readonly kind: 'route' } & Sides<Route>)
  | ({ readonly kind: 'fdb'; readonly dev: string; readonly mac: Mac } & Sides<FdbTarget>)
  | ({ readonly kind: 'neighbour'; readonly dev: string; readonly ip: Ip } & Sides<Mac>);

export type MismatchKind = Mismatch['kind'];
type Of<Kind extends MismatchKind> = Extract<Mismatch, { kind: Kind }>;

/** Namespaces that are missing; overlay namespaces nobody wants. */
export function compareNamespaces(actual: State, desired: State): Of<'netns'>[] {
  const missing = [...desired.keys()].filter((netns) => !actual.has(netns));
  const extra = [...actual.keys()].filter((netns) => isOverlayNetns(netns) && !desired.has(netns));
  return [
    ...missing.map((netns) => ({ kind: 'netns', netns, actual: undefined, intended: 'present' }) as const),
    ...extra.map((netns) => ({ kind: 'netns', netns, actual: 'present', intended: undefined }) as const),
  ];
}

/** Links that are missing, too many, or different in themselves (not as ports). */
export function compareLinks(actual: State, desired: State): Of<'link'>[] {
  return everyNamespace(actual, desired, (netns, found, wanted) =>
    compareMaps(netns, found.links, wanted.links, sameLink).map(({ key, sides }) => ({
      kind: 'link',
      name: key,
      ...sides,
    })),
  );
}

/** Wanted links that are there, and not (the right) ports. */
export function comparePorts(actual: State, desired: State): Of<'port'>[] {
  return everyNamespace(actual, desired, (netns, found, wanted) =>
    [...wanted.links.values()].flatMap((link) => {
      const intended = portOf(link);
      const there = found.links.get(link.name);
      if (there === undefined || intended === undefined) return [];
      const is = portOf(there);
      return is !== undefined && printPort(is) === printPort(intended)
        ? []
        : [{ kind: 'port', netns, name: link.name, actual: is, intended }];
    }),
  );
}

export function compareSysctls(actual: State, desired: State): Of<'sysctl'>[] {
  return everyNamespace(actual, desired, (netns, found, wanted) =>
    compareMaps(netns, found.sysctls, wanted.sysctls, Object.is)
      .filter(({ sides }) => sides.intended !== undefined)
      .map(({ key, sides }) => ({ kind: 'sysctl', key, ...sides })),
  );
}

export function compareAddresses(actual: State, desired: State): Mismatch[] {
  return everyNamespace(actual, desired, (netns, found, wanted) =>
    perLink(found.addresses, wanted.addresses, new Set(), (dev, are, shall) =>
      compareMaps(netns, asMap(are), asMap(shall), Object.is).map(
        ({ key, sides }): Mismatch => ({ kind: 'address', dev, address: key, ...sides }),
      ),
    ),
  );
}

/** Routes, FDB entries and neighbours. */
export function compareEntries(actual: State, desired: State): Mismatch[] {
  return everyNamespace(actual, desired, (netns, found, wanted): Mismatch[] => [
    ...compareMaps(netns, found.routes, wanted.routes, sameRoute).map(
      ({ sides }): Mismatch => ({ kind: 'route', ...sides }),
    ),
    ...perLink(found.fdb, wanted.fdb, new Map(), (dev, are, shall) =>
      compareMaps(netns, are, shall, sameTarget).map(
        ({ key, sides }): Mismatch => ({ kind: 'fdb', dev, mac: key, ...sides }),
      ),
    ),
    ...perLink(found.neighbours, wanted.neighbours, new Map(), (dev, are, shall) =>
      compareMaps(netns, are, shall, Object.is).map(
        ({ key, sides }): Mismatch => ({ kind: 'neighbour', dev, ip: key, ...sides }),
      ),
    ),
  ]);
}

export function compare(actual: State, desired: State): Mismatch[] {
  return [
    ...compareNamespaces(actual, desired),
    ...compareLinks(actual, desired),
    ...comparePorts(actual, desired),
    ...compareSysctls(actual, desired),
    ...compareAddresses(actual, desired),
    ...compareEntries(actual, desired),
  ];
}

export function portOf(link: Link): BridgePort | undefined {
  return 'bridgePort' in link ? link.bridgePort : undefined;
}

type CompareNamespace<Result> = (netns: NetnsPath, found: Namespace, wanted: Namespace) => Result[];

/** What is found in a container's namespace and not wanted is the container's: never a mismatch. */
function everyNamespace<Result extends Mismatch>(
  actual: State,
  desired: State,
  compareOne: CompareNamespace<Result>,
): Result[] {
  const none = newNamespace();
  return [...new Set([...desired.keys(), ...actual.keys()])].flatMap((netns) => {
    const mismatches = compareOne(netns, actual.get(netns) ?? none, desired.get(netns) ?? none);
    return isOverlayNetns(netns) ? mismatches : mismatches.filter(({ intended }) => intended !== undefined);
  });
}

function perLink<Entries>(
  found: ReadonlyMap<string, Entries>,
  wanted: ReadonlyMap<string, Entries>,
  none: Entries,
  compareOne: (dev: string, found: Entries, wanted: Entries) => Mismatch[],
): Mismatch[] {
  return [...new Set([...wanted.keys(), ...found.keys()])].flatMap((dev) =>
    compareOne(dev, found.get(dev) ?? none, wanted.get(dev) ?? none),
  );
}

function compareMaps<Key, Value>(
  netns: NetnsPath,
  found: ReadonlyMap<Key, Value>,
  wanted: ReadonlyMap<Key, Value>,
  same: (found: Value, wanted: Value) => boolean,
): { key: Key; sides: Sides<Value> }[] {
  const mismatches: { key: Key; sides: Sides<Value> }[] = [];
  for (const [key, intended] of wanted) {
    const actual = found.get(key);
    if (actual === undefined || !same(actual, intended)) mismatches.push({ key, sides: { netns, actual, intended } });
  }
  for (const [key, actual] of found) {
    if (!wanted.has(key)) mismatches.push({ key, sides: { netns, actual, intended: undefined } });
  }
  return mismatches;
}

function sameLink(found: Link, wanted: Link): boolean {
  return linkWords(found).join() === linkWords(wanted).join();
}

function sameRoute(found: Route, wanted: Route): boolean {
  return printRoute(found) === printRoute(wanted);
}

function sameTarget(found: FdbTarget, wanted: FdbTarget): boolean {
  return found === wanted || targets(found).join() === targets(wanted).join();
}

function asMap(addresses: ReadonlySet<InterfaceAddress>): Map<InterfaceAddress, 'present'> {
  return new Map([...addresses].map((address) => [address, 'present']));
}
