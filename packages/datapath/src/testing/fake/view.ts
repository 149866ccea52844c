import type { Mac, Prefix } from '@causeway/model';
import { newNamespace } from '../../draft.ts';
import type { Scope } from '../../kernel.ts';
import type { FdbTarget, Namespace, Route } from '../../state.ts';
import type { FakeLink, FakeNamespace } from './host.ts';

/** What Kernel.read finds in a namespace. */
export function viewOf(namespace: FakeNamespace, scope: Scope): Namespace {
  const links = [...namespace.links].filter(([name]) => scope.links?.includes(name) ?? true);
  const each = <Value>(of: (link: FakeLink) => Value): Map<string, Value> =>
    new Map(links.map(([name, link]) => [name, of(link)]));
  if (scope.bare) return { ...newNamespace(), links: each(({ link }) => link), sysctls: sysctlsOf(namespace, scope) };
  if (scope.entries !== undefined) {
    const { fdb, neighbours } = scope.entries;
    return {
      ...newNamespace(),
      links: each(({ link }) => link),
      fdb: named(fdb, (dev) => fdbOf(namespace.links.get(dev))),
      neighbours: named(neighbours, (dev) => namespace.links.get(dev)?.neighbours ?? new Map()),
      sysctls: sysctlsOf(namespace, scope),
    };
  }
  return {
    links: each(({ link }) => link),
    addresses: each(({ addresses }) => new Set(addresses)),
    neighbours: each(({ neighbours }) => new Map(neighbours)),
    fdb: each(fdbOf),
    routes: routesOf(namespace, new Set(links.map(([name]) => name))),
    sysctls: sysctlsOf(namespace, scope),
  };
}

function named<Key, Value>(
  keys: ReadonlyMap<string, ReadonlySet<Key>>,
  on: (dev: string) => ReadonlyMap<Key, Value>,
): Map<string, Map<Key, Value>> {
  return new Map([...keys].map(([dev, of]) => [dev, new Map([...on(dev)].filter(([key]) => of.has(key)))]));
}

function sysctlsOf(namespace: FakeNamespace, scope: Scope): Map<string, string> {
  return new Map(
    scope.sysctls.flatMap((key) => {
      const value = namespace.sysctls.get(key);
      return value === undefined ? [] : [[key, value] as const];
    }),
  );
}

function fdbOf(link: FakeLink | undefined): Map<Mac, FdbTarget> {
  if (link === undefined) return new Map();
  if (link.link.kind !== 'vxlan') return new Map([...link.ports].map((mac) => [mac, 'port']));
  return new Map([...link.tunnels].map(([mac, vteps]) => [mac, vteps.length === 1 && vteps[0] ? vteps[0] : vteps]));
}

function routesOf(namespace: FakeNamespace, devs: ReadonlySet<string>): Map<Prefix, Route> {
  const routes = new Map<Prefix, Route>();
  for (const route of namespace.routes) {
    const other = routes.get(route.dst);
    if (devs.has(route.dev) && (other === undefined || route.metric < other.metric)) routes.set(route.dst, route);
  }
  return routes;
}
