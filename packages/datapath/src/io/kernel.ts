import { readdirSync } from 'node:fs';
import { addressOf, type Ip, type Prefix } from '@causeway/model';
import { NETLINK_ROUTE, type NetnsIdentity } from '@causeway/netlink';
import { hasCookies, identifyNetns, isNetnsAt, type NetlinkSocket, ownNetns } from '@causeway/netlink/io';
import type { Announcement } from '../announce/announcement.ts';
import type {
  ContainerWatch,
  Expected,
  Kernel,
  OnWatchEvent,
  OpResult,
  ReadScope,
  Underlay,
  Watch,
} from '../kernel.ts';
import type { Namespace, Op } from '../kinds/table.ts';
import { stateKey } from '../kinds/xfrm-state.ts';
import { isReported } from '../routes.ts';
import { isAskedFor } from '../scope.ts';
import { hostNetns, type NetnsPath } from '../state.ts';
import { dumpAddresses, readAddress } from '../wire/address.ts';
import { dumpRoutes, readDestination } from '../wire/route.ts';
import { announceAll } from './announce.ts';
import { applyOps } from './apply.ts';
import { Arrivals } from './arrivals.ts';
import { ContainerWatches } from './container-watches.ts';
import { Namespaces, type OpenNamespace } from './namespaces.ts';
import { dumpLinkRecords, readNamed, readNamespace } from './read.ts';
import { Watches } from './watches.ts';

/** Where iproute2 keeps namespaces, so that `ip netns exec cw-… ip link` works for people. */
const directory = '/run/netns';
const ownPrefix = 'cw-';

/**
 * The kernel that this process runs on, over netlink. Needs CAP_NET_ADMIN, CAP_SYS_ADMIN and CAP_NET_BROADCAST; use it from one
 * thread only.
 */
export function createKernel(): Kernel {
  return new NetlinkKernel();
}

class NetlinkKernel implements Kernel {
  readonly #arrivals = new Arrivals();
  readonly #watches = new Watches({
    onLost: () => this.#eventsLost++,
    onMessage: (message) => this.#arrivals.hear(message),
  });
  readonly #containers = new ContainerWatches({ onLost: () => this.#eventsLost++ });
  #eventsLost = 0;
  #hostIdentity: NetnsIdentity | undefined;

  async read(netns: NetnsPath, scope: ReadScope, expected?: Expected): Promise<Namespace | undefined> {
    const { entries } = scope;
    const namespaces = entries === undefined ? new Namespaces({ expected }) : this.#namespaces(expected);
    try {
      const open = namespaces.find(netns);
      if (open === undefined) return undefined;
      if (entries !== undefined) return readNamed(open, { ...scope, entries });
      return netns === hostNetns ? await this.#readHost(open, scope) : await readNamespace(open, scope);
    } finally {
      namespaces.close();
    }
  }

  async apply(ops: readonly Op[], expected?: Expected): Promise<readonly OpResult[]> {
    const namespaces = this.#namespaces(expected);
    for (const op of ops) if (op.op === 'xfrmState.setPorts') this.#arrivals.forget(stateKey(op.state));
    try {
      const onDelete = this.#watches.end.bind(this.#watches);
      const onEntries = this.#watches.wrote.bind(this.#watches);
      const onLink = this.#watches.wroteLink.bind(this.#watches);
      return await applyOps({ namespaces, onDelete, onEntries, onLink }, ops);
    } finally {
      namespaces.close();
    }
  }

  watch(netns: NetnsPath, onEvent: OnWatchEvent): Watch | undefined {
    return this.#watches.add(netns, onEvent);
  }

  watchContainer(
    netns: NetnsPath,
    desired: Namespace,
    onChange: () => void,
    expected?: Expected,
  ): ContainerWatch | undefined {
    return this.#containers.add(netns, desired, onChange, expected);
  }

  async announce(netns: NetnsPath, dev: string, announcements: readonly Announcement[]): Promise<void> {
    await announceAll(() => this.#namespaces(), { netns, dev }, announcements);
  }

  async ownNetns(): Promise<readonly NetnsPath[]> {
    const paths = listDirectory().map((name) => `${directory}/${name}` as NetnsPath);
    return paths.filter(isNetnsAt);
  }

  async identify(netns: NetnsPath): Promise<NetnsIdentity | undefined> {
    if (netns !== hostNetns) return identifyNetns(netns);
    // The thread stays in this namespace, which therefore lasts as long as the process.
    this.#hostIdentity ??= identifyNetns(ownNetns);
    return this.#hostIdentity;
  }

  eventsLost(): number {
    return this.#eventsLost;
  }

  hasUniqueIdentities(): boolean {
    return hasCookies();
  }

  async underlay(address: Ip): Promise<Underlay | undefined> {
    const namespaces = new Namespaces();
    try {
      const socket = namespaces.socket(hostNetns, NETLINK_ROUTE);
      const index = await holderOf(socket, address);
      const link = (await dumpLinkRecords(socket)).find((record) => record.index === index);
      return link && { address, device: link.name, mtu: link.mtu };
    } finally {
      namespaces.close();
    }
  }

  async routes(): Promise<readonly Prefix[]> {
    const namespaces = new Namespaces();
    try {
      const found = await namespaces.socket(hostNetns, NETLINK_ROUTE).dump(
        dumpRoutes,
        () => new Set<Prefix>(),
        (destinations, message) => {
          const destination = readDestination(message);
          if (destination !== undefined) destinations.add(destination);
        },
      );
      return [...found].filter(isReported).sort();
    } finally {
      namespaces.close();
    }
  }

  close(): void {
    this.#watches.close();
    this.#containers.close();
  }

  /** SAs that networks use are in the host namespace, and so are the notifications about them. */
  async #readHost(open: OpenNamespace, scope: ReadScope): Promise<Namespace> {
    const found = await readNamespace(open, scope, this.#arrivals.ports);
    if (isAskedFor('xfrmStates', scope)) this.#arrivals.keep(found.xfrmStates);
    return found;
  }

  /** Uses namespaces that watches hold open. Not for dumps: during a dump, a socket can do nothing else. */
  #namespaces(expected?: Expected): Namespaces {
    return new Namespaces({ held: (netns) => this.#watches.held(netns), expected });
  }
}

/** Index of the link that has an address. */
async function holderOf(socket: NetlinkSocket, address: Ip): Promise<number | undefined> {
  const holders = await socket.dump(
    dumpAddresses,
    () => new Map<Ip, number>(),
    (found, message) => {
      const record = readAddress(message);
      if (record !== undefined) found.set(addressOf(record.address), record.index);
    },
  );
  return holders.get(address);
}

function listDirectory(): string[] {
  try {
    return readdirSync(directory).filter((name) => name.startsWith(ownPrefix));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
