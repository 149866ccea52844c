import { NETLINK_ROUTE } from '@causeway/netlink';
import { type EntryKeys, entriesOf } from '../changes.ts';
import { ofSlots } from '../draft.ts';
import type { ReadScope } from '../kernel.ts';
import { ask } from '../kinds/ask.ts';
import type { Observation, Reading, Requests } from '../kinds/kind.ts';
import { kinds, type Namespace } from '../kinds/table.ts';
import { isOurHostLink } from '../owner.ts';
import { isAskedFor, isInScope } from '../scope.ts';
import { dumpLinks, getLink, type LinkRecord, readLink } from '../wire/link.ts';
import { heldSockets } from './encap-holders.ts';
import type { OpenNamespace } from './namespaces.ts';
import { readSysctls } from './sysctl.ts';

/**
 * Devices that the kernel adds to every new namespace when their modules are loaded (net.core.fb_tunnels_only_for_init_net,
 * Documentation/admin-guide/sysctl/net.rst). They cannot be deleted, and are ignored.
 */
const fallbackTunnels: ReadonlySet<string> = new Set(
  'tunl0 gre0 gretap0 erspan0 ip_vti0 ip6_vti0 sit0 ip6tnl0 ip6gre0'.split(' '),
);

/** Everything in the scope of an open namespace, read by dumps. `arrivals`: as in `Reading`. */
export async function readNamespace(
  open: OpenNamespace,
  scope: ReadScope,
  arrivals: ReadonlyMap<string, number> = new Map(),
): Promise<Namespace> {
  const records = await dumpLinkRecords(open.socket(NETLINK_ROUTE));
  const isHostNetns = open.fd === undefined;
  const inScope = records.filter(
    (link) => !isIgnored(link.name, scope) && isInScope(link.name, scope) && (!isHostNetns || isOurHostLink(link)),
  );
  const reading = { ...readingOf(open, scope, inScope, records), arrivals };
  const found = new Map<keyof Namespace, ReadonlyMap<unknown, unknown>>();
  for (const { slot, real } of kinds) {
    if (real.derive !== undefined) found.set(slot, real.derive(reading));
    else if (real.read !== undefined && isAskedFor(slot, scope)) found.set(slot, await real.read(reading));
  }
  return ofSlots((slot) => found.get(slot) ?? new Map());
}

/**
 * The named links and entries, each by its own request. This does not yield: each answer is there when its request is sent.
 */
export function readNamed(open: OpenNamespace, scope: ReadScope & { readonly entries: EntryKeys }): Namespace {
  const route = open.socket(NETLINK_ROUTE);
  const records = (scope.links ?? []).flatMap((name) => ask(route, getLink(name), readLink) ?? []);
  const masters = new Set(records.flatMap(({ master }) => master ?? []));
  const others = [...masters].flatMap((index) => ask(route, getLink(index), readLink) ?? []);
  const reading = readingOf(open, scope, records, [...others, ...records]);
  const keys = new Map<keyof Namespace, ReadonlyMap<string, ReadonlySet<unknown>>>(entriesOf(scope.entries));
  const find =
    ({ find: findOne }: Observation) =>
    (dev: string, key: unknown): unknown => {
      const index = open.linkIndex(dev);
      return index === undefined ? undefined : findOne?.(reading, index, key);
    };
  const found = new Map(
    kinds.map(({ slot, real }) => [slot, real.derive?.(reading) ?? named(keys.get(slot), find(real))]),
  );
  return ofSlots((slot) => found.get(slot) ?? new Map());
}

export async function dumpLinkRecords(socket: Requests): Promise<LinkRecord[]> {
  return socket.dump(
    dumpLinks,
    () => [] as LinkRecord[],
    (found, message) => found.push(readLink(message)),
  );
}

function named(
  keys: ReadonlyMap<string, ReadonlySet<unknown>> = new Map(),
  find: (dev: string, key: unknown) => unknown,
): ReadonlyMap<string, ReadonlyMap<unknown, unknown>> {
  return new Map(
    [...keys].map(([dev, desired]) => {
      const found = [...desired].map((key) => [key, find(dev, key)] as const);
      return [dev, new Map(found.filter(([, value]) => value !== undefined))];
    }),
  );
}

function readingOf(
  open: OpenNamespace,
  scope: ReadScope,
  inScope: readonly LinkRecord[],
  all: readonly LinkRecord[],
): Reading {
  return {
    isHostNetns: open.fd === undefined,
    scope,
    links: new Map(inScope.map((record) => [record.index, record])),
    names: new Map(all.map(({ index, name }) => [index, name])),
    socket: (protocol) => open.socket(protocol),
    arrivals: new Map(),
    encapSockets: () => heldSockets(open.fd),
    sysctls: (keys) => readSysctls(open.fd, keys),
  };
}

/** Whether the link is read only if it is named. */
function isIgnored(name: string, { links }: ReadScope): boolean {
  return links === undefined && (name === 'lo' || fallbackTunnels.has(name));
}
