import { type InterfaceAddress, type Ip, type Mac, Mac as mac, type Prefix, Vni } from '@causeway/model';
import { type Encode, KernelError, type MessageReader } from '@causeway/netlink';
import type { NetlinkSocket } from '@causeway/netlink/io';
import type { EntryKeys } from '../changes.ts';
import { newNamespace } from '../draft.ts';
import type { Scope } from '../kernel.ts';
import type { FdbTarget, Link, Namespace, Route } from '../state.ts';
import {
  dumpAddresses,
  dumpFdb,
  dumpLinks,
  dumpNeighbours,
  dumpRoutes,
  getFdb,
  getLink,
  getNeighbour,
  type LinkRecord,
  readAddress,
  readFdb,
  readLink,
  readNeighbour,
  readRoute,
} from '../wire/index.ts';

/**
 * Devices the kernel puts into every new namespace when their modules are loaded (net.core.fb_tunnels_only_for_init_net,
 * Documentation/admin-guide/sysctl/net.rst). They can't be deleted and mean nothing.
 */
const fallbackTunnels: ReadonlySet<string> = new Set(
  'tunl0 gre0 gretap0 erspan0 ip_vti0 ip6_vti0 sit0 ip6tnl0 ip6gre0'.split(' '),
);
/** Links without an Ethernet address are foreign; they have to have one here. */
const noMac = mac('00:00:00:00:00:00');

/** Dumps a namespace through a socket in it. */
export async function readNamespace(
  socket: NetlinkSocket,
  scope: Scope,
  isHome: boolean,
): Promise<Omit<Namespace, 'sysctls'>> {
  const records = await dumpLinkRecords(socket);
  const names = new Map(records.map((record) => [record.index, record.name]));
  const inScope = new Map(records.filter((record) => isInScope(record, scope)).map((record) => [record.index, record]));
  const links = new Map([...inScope.values()].map((record) => [record.name, toLink(record, names, isHome)]));
  if (scope.bare) return { ...newNamespace(), links };
  return {
    links,
    addresses: await readAddresses(socket, inScope),
    routes: await readRoutes(socket, inScope),
    neighbours: await readNeighbours(socket, inScope),
    fdb: await readFdbs(socket, inScope),
  };
}

/**
 * The named links and entries, each asked for by itself: all at once, since each answer is there when its question is sent.
 */
export function readNamed(
  socket: NetlinkSocket,
  { links = [], entries }: Scope & { readonly entries: EntryKeys },
  isHome: boolean,
): Omit<Namespace, 'sysctls'> {
  const records = links.flatMap((name) => ask(socket, getLink(name), readLink) ?? []);
  const names = new Map(records.map(({ index, name }) => [index, name]));
  for (const { master } of records) {
    if (master !== undefined && !names.has(master))
      names.set(master, ask(socket, getLink(master), readLink)?.name ?? '');
  }
  const eachOn = <Key, Value>(
    keys: ReadonlyMap<string, ReadonlySet<Key>>,
    find: (index: number, key: Key) => Value | undefined,
  ): Map<string, Map<Key, Value>> =>
    new Map(
      [...keys].map(([dev, wanted]) => {
        const index = socket.linkIndex(dev);
        const found = [...wanted].map((key) => [key, index === undefined ? undefined : find(index, key)] as const);
        return [dev, new Map(found.filter((entry): entry is [Key, Value] => entry[1] !== undefined))];
      }),
    );
  return {
    ...newNamespace(),
    links: new Map(records.map((record) => [record.name, toLink(record, names, isHome)])),
    fdb: eachOn(entries.fdb, (index, mac) => findFdb(socket, index, mac)),
    neighbours: eachOn(
      entries.neighbours,
      (index, ip) => ask(socket, (to) => getNeighbour(to, index, ip), readNeighbour)?.mac,
    ),
  };
}

/** Of a device that has tunnel entries, these; of another one, what its bridge has for it. */
function findFdb(socket: NetlinkSocket, index: number, mac: Mac): FdbTarget | undefined {
  let hasTunnels = true;
  const tunnel = ask(
    socket,
    (to) => getFdb(to, index, mac, 'self'),
    (message) => readFdb(message, () => true),
    (errno) => {
      hasTunnels = errno !== 'EOPNOTSUPP';
    },
  );
  if (hasTunnels) return tunnel?.target;
  const port = ask(
    socket,
    (to) => getFdb(to, index, mac, 'master'),
    (message) => readFdb(message, () => false),
  );
  return port?.index === index ? port.target : undefined;
}

/** How the kernel says that there is nothing such, or that a link of this kind can have nothing such. */
const nothing: ReadonlySet<string> = new Set(['ENOENT', 'ENODEV', 'ERANGE', 'EINVAL', 'EOPNOTSUPP']);

function ask<Found>(
  socket: NetlinkSocket,
  encode: Encode,
  read: (message: MessageReader) => Found | undefined,
  onNothing: (errno: string) => void = () => undefined,
): Found | undefined {
  let found: Found | undefined;
  try {
    socket.request(encode, (message) => {
      found = read(message);
    });
  } catch (error) {
    if (!(error instanceof KernelError && nothing.has(error.errno))) throw error;
    onNothing(error.errno);
  }
  return found;
}

export async function dumpLinkRecords(socket: NetlinkSocket): Promise<LinkRecord[]> {
  return socket.dump(
    dumpLinks,
    () => [] as LinkRecord[],
    (found, message) => found.push(readLink(message)),
  );
}

type Links = ReadonlyMap<number, LinkRecord>;

function isInScope({ name }: LinkRecord, scope: Scope): boolean {
  if (scope.links !== undefined) return scope.links.includes(name);
  return name !== 'lo' && !fallbackTunnels.has(name);
}

/** A vxlan device that differs in what can't be changed, or in what we never want, is not one of ours: foreign. */
function toLink(record: LinkRecord, names: ReadonlyMap<number, string>, isHome: boolean): Link {
  const { name, mtu, up, kind, vxlan } = record;
  const base = { name, mac: record.mac ?? noMac, mtu, up };
  const port = record.port !== undefined && record.master !== undefined && record.port;
  const bridgePort = port && { bridgePort: { master: names.get(record.master ?? 0) ?? '', ...port } };
  if (kind === 'bridge') return { kind, ...base };
  if (kind === 'veth') return { kind, ...base, ...bridgePort };
  if (vxlan?.plain && vxlan.local !== undefined && (isHome || record.crossesNamespaces)) {
    return { kind: 'vxlan', ...base, vni: Vni(vxlan.vni), port: vxlan.port, local: vxlan.local, ...bridgePort };
  }
  return { kind: 'foreign', ...base };
}

async function readAddresses(socket: NetlinkSocket, links: Links): Promise<Namespace['addresses']> {
  return socket.dump(
    dumpAddresses,
    () => new Map<string, Set<InterfaceAddress>>(),
    (found, message) => {
      const record = readAddress(message);
      if (record === undefined) return;
      const link = links.get(record.index);
      if (link !== undefined) entry(found, link.name, () => new Set()).add(record.address);
    },
  );
}

/** Of several to one destination, the one that wins. */
async function readRoutes(socket: NetlinkSocket, links: Links): Promise<Namespace['routes']> {
  return socket.dump(
    dumpRoutes,
    () => new Map<Prefix, Route>(),
    (found, message) => {
      const record = readRoute(message);
      if (record === undefined) return;
      const link = links.get(record.index);
      if (link === undefined) return;
      const { dst, gateway, metric } = record;
      const known = found.get(dst);
      if (known !== undefined && known.metric <= metric) return;
      found.set(dst, { dst, dev: link.name, metric, ...(gateway !== undefined && { gateway }) });
    },
  );
}

async function readNeighbours(socket: NetlinkSocket, links: Links): Promise<Namespace['neighbours']> {
  return socket.dump(
    dumpNeighbours,
    () => new Map<string, Map<Ip, Mac>>(),
    (found, message) => {
      const record = readNeighbour(message);
      if (record === undefined) return;
      const link = links.get(record.index);
      if (link !== undefined) entry(found, link.name, () => new Map()).set(record.ip, record.mac);
    },
  );
}

async function readFdbs(socket: NetlinkSocket, links: Links): Promise<Namespace['fdb']> {
  const hasFdb = [...links.values()].some(({ kind, port }) => kind === 'vxlan' || port !== undefined);
  if (!hasFdb) return new Map();
  const isVxlan = (index: number): boolean => links.get(index)?.kind === 'vxlan';
  return socket.dump(
    dumpFdb,
    () => new Map<string, Map<Mac, FdbTarget>>(),
    (found, message) => {
      const record = readFdb(message, isVxlan);
      if (record === undefined) return;
      const link = links.get(record.index);
      // A vxlan device that its bridge takes for the way to a MAC is none without a VTEP for it, and no news with one.
      if (link === undefined || (link.kind === 'vxlan' && record.target === 'port')) return;
      const targets = entry(found, link.name, () => new Map<Mac, FdbTarget>());
      targets.set(record.mac, also(targets.get(record.mac), record.target));
    },
  );
}

/** One entry more for a MAC: several VTEPs make a list. */
function also(known: FdbTarget | undefined, target: 'port' | Ip): FdbTarget {
  if (known === undefined || known === 'port' || target === 'port') return target;
  return [...(typeof known === 'string' ? [known] : known), target];
}

function entry<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
