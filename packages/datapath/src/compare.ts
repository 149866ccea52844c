import type { InterfaceAddress, Ip, Mac } from '@causeway/model';
import { newNamespace } from './draft.ts';
import { sameLink, samePort, sameRoute, sameTarget } from './equal.ts';
import { isOverlayNetns } from './owner.ts';
import { sliceSize } from './sliced.ts';
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
    compareAll(netns, found.links, wanted.links, sameLink).map(({ key, sides }) => ({
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
      return is !== undefined && samePort(is, intended)
        ? []
        : [{ kind: 'port', netns, name: link.name, actual: is, intended }];
    }),
  );
}

export function compareSysctls(actual: State, desired: State): Of<'sysctl'>[] {
  return everyNamespace(actual, desired, (netns, found, wanted) =>
    compareAll(netns, found.sysctls, wanted.sysctls, Object.is)
      .filter(({ sides }) => sides.intended !== undefined)
      .map(({ key, sides }) => ({ kind: 'sysctl', key, ...sides })),
  );
}

export function compareAddresses(actual: State, desired: State): Mismatch[] {
  return everyNamespace(actual, desired, (netns, found, wanted) =>
    [...union(wanted.addresses, found.addresses)].flatMap((dev) =>
      compareAll(netns, asMap(found.addresses.get(dev)), asMap(wanted.addresses.get(dev)), Object.is).map(
        ({ key, sides }): Mismatch => ({ kind: 'address', dev, address: key, ...sides }),
      ),
    ),
  );
}

/** Routes, FDB entries and neighbours, one after another: there may be 20,000 of them. undefined: a pause. */
export function* compareEntries(actual: State, desired: State): Generator<Mismatch | undefined, void> {
  const none = newNamespace();
  for (const netns of union(desired, actual)) {
    const isOurs = isOverlayNetns(netns);
    for (const each of entriesOf(netns, actual.get(netns) ?? none, desired.get(netns) ?? none)) {
      if (each === undefined || isOurs || each.intended !== undefined) yield each;
    }
  }
}

function* entriesOf(netns: NetnsPath, found: Namespace, wanted: Namespace): Generator<Mismatch | undefined, void> {
  for (const each of compareMaps(netns, found.routes, wanted.routes, sameRoute)) {
    yield each && { kind: 'route', ...each.sides };
  }
  for (const dev of union(wanted.fdb, found.fdb)) {
    for (const each of compareMaps(netns, found.fdb.get(dev), wanted.fdb.get(dev), sameTarget)) {
      yield each && { kind: 'fdb', dev, mac: each.key, ...each.sides };
    }
  }
  for (const dev of union(wanted.neighbours, found.neighbours)) {
    for (const each of compareMaps(netns, found.neighbours.get(dev), wanted.neighbours.get(dev), Object.is)) {
      yield each && { kind: 'neighbour', dev, ip: each.key, ...each.sides };
    }
  }
}

/** All of it. undefined: a pause. */
export function* compare(actual: State, desired: State): Generator<Mismatch | undefined, void> {
  yield* compareNamespaces(actual, desired);
  yield* compareLinks(actual, desired);
  yield* comparePorts(actual, desired);
  yield* compareSysctls(actual, desired);
  yield* compareAddresses(actual, desired);
  yield* compareEntries(actual, desired);
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
  return [...union(desired, actual)].flatMap((netns) => {
    const mismatches = compareOne(netns, actual.get(netns) ?? none, desired.get(netns) ?? none);
    return isOverlayNetns(netns) ? mismatches : mismatches.filter(({ intended }) => intended !== undefined);
  });
}

function union<Key>(a: ReadonlyMap<Key, unknown>, b: ReadonlyMap<Key, unknown>): Set<Key> {
  return new Set([...a.keys(), ...b.keys()]);
}

interface Unequal<Key, Value> {
  readonly key: Key;
  readonly sides: Sides<Value>;
}

/** undefined: a pause. */
function* compareMaps<Key, Value>(
  netns: NetnsPath,
  found: ReadonlyMap<Key, Value> = new Map(),
  wanted: ReadonlyMap<Key, Value> = new Map(),
  same: (found: Value, wanted: Value) => boolean,
): Generator<Unequal<Key, Value> | undefined, void> {
  let compared = 0;
  for (const [key, intended] of wanted) {
    if (++compared % sliceSize === 0) yield undefined;
    const actual = found.get(key);
    if (actual === undefined || !same(actual, intended)) yield { key, sides: { netns, actual, intended } };
  }
  for (const [key, actual] of found) {
    if (++compared % sliceSize === 0) yield undefined;
    if (!wanted.has(key)) yield { key, sides: { netns, actual, intended: undefined } };
  }
}

/** Of maps that are small. */
function compareAll<Key, Value>(...args: Parameters<typeof compareMaps<Key, Value>>): Unequal<Key, Value>[] {
  return [...compareMaps(...args)].filter((each) => each !== undefined);
}

function asMap(addresses: ReadonlySet<InterfaceAddress> = new Set()): Map<InterfaceAddress, 'present'> {
  return new Map([...addresses].map((address) => [address, 'present']));
}
