import { type Ip, interfaceAddress, Mac, type Prefix, prefixOf } from '@causeway/model';
import { KernelError, type NetnsIdentity, netnsIdentity } from '@causeway/netlink';
import type { Clock } from '@causeway/runtime';
import type { Announcement } from '../announce/announcement.ts';
import { ChangeSet, type Changes } from '../changes.ts';
import type {
  ContainerWatch,
  Expected,
  Kernel,
  OnWatchEvent,
  OpResult,
  ReadScope,
  Underlay,
  Watch,
  WatchEvent,
} from '../kernel.ts';
import type { ForeignLink } from '../kinds/link/link.ts';
import type { Namespace, Op, OpKind } from '../kinds/table.ts';
import { stateKey } from '../kinds/xfrm-state.ts';
import { deviceOf } from '../op.ts';
import { isOurHostLink } from '../owner.ts';
import { isReported } from '../routes.ts';
import { hostNetns, type NetnsPath } from '../state.ts';
import { announce, askedOf } from './fake/asked.ts';
import { FakeContainerWatches } from './fake/container-watches.ts';
import { FakeHost, type FakeNamespace, findLink, Refusal } from './fake/host.ts';
import { NewPairs } from './fake/new-pairs.ts';
import { viewOf } from './fake/view.ts';
import { addressesOf, hasAddress } from './twins/address.ts';
import { encapSocketsOf } from './twins/encap-socket.ts';
import { appendFdb, reportFdb } from './twins/fdb.ts';
import { neighboursOf } from './twins/neighbour.ts';
import { routesOf } from './twins/route.ts';
import { arrivalsOf } from './twins/xfrm-state.ts';
import { allTwins, twinOf } from './twins.ts';

export interface FakeKernelSettings {
  /** The address at which the host receives VXLAN; "eth0" of the host namespace has it. */
  readonly underlay: Ip;
  /** MTU of that device, bytes. */
  readonly mtu?: number;
  /** Id of the boot during which this kernel lives. */
  readonly bootId?: string;
  /** Whether the kernel numbers its namespaces, as Linux does since 5.14. */
  readonly hasCookies?: boolean;
  /** Whether the kernel can make SAs of ESP with AES-GCM; default true. */
  readonly hasEsp?: boolean;
}

/** Ops between two yields to the event loop: as many as the real kernel sends in one batch. */
const batch = 128;

interface Fault {
  readonly matches: (op: Op) => boolean;
  readonly result: OpResult;
}

/**
 * The kernel of one host in memory. It obeys the rules of the real one (testing/contract.ts tests both).
 * For tests only: `foreign…`, `resolved`, `overrun`, `failNext`, `writes`, `announced`.
 */
export class FakeKernel implements Kernel {
  /** Ops that came through `apply`: those of the program under test. */
  writes = 0;
  /** What came through `announce`. */
  readonly announced: Announcement[] = [];
  readonly #host: FakeHost;
  readonly #clock: Clock;
  readonly #watches = new Map<FakeNamespace, Set<OnWatchEvent>>();
  readonly #dirty = new Map<FakeNamespace, ChangeSet>();
  #eventsLost = 0;
  readonly #bootId: string;
  readonly #hasCookies: boolean;
  #faults: readonly Fault[] = [];
  readonly #newPairs: NewPairs;
  readonly #containers: FakeContainerWatches;
  /** The op that is being carried out. */
  #running: Parameters<NewPairs['takes']>[2] | undefined;

  constructor(parts: { readonly clock: Clock }, settings: FakeKernelSettings) {
    const mac = Mac('02:00:00:00:00:01');
    const device: ForeignLink = { kind: 'foreign', name: 'eth0', mac, mtu: settings.mtu ?? 1500, up: true };
    this.#clock = parts.clock;
    this.#bootId = settings.bootId ?? 'boot-1';
    this.#hasCookies = settings.hasCookies ?? true;
    const onLate = (namespace: FakeNamespace, link: string): void => {
      this.#changed(namespace, (changes) => changes.links.add(link));
    };
    this.#containers = new FakeContainerWatches(parts);
    this.#newPairs = new NewPairs({ clock: parts.clock, onLate });
    this.#host = new FakeHost({
      clock: parts.clock,
      hasEsp: settings.hasEsp ?? true,
      onChange: (namespace, link) => {
        this.#containers.touched(namespace);
        const cause = this.#running;
        if (cause !== undefined && this.#newPairs.takes(namespace, link, cause)) return;
        this.#changed(namespace, (changes) => changes.links.add(link));
      },
      onLinkEvent: (namespace, link, what) => {
        for (const twin of allTwins) twin.follow?.(namespace, link, what);
      },
    });
    const carrier = this.#host.addLink(this.#host.namespace(hostNetns), device);
    addressesOf(carrier).add(interfaceAddress(settings.underlay, 24));
  }

  /** By path, for code that follows a packet through them (connectivity.ts). */
  get namespaces(): ReadonlyMap<NetnsPath, FakeNamespace> {
    return this.#host.namespaces;
  }

  async read(netns: NetnsPath, scope: ReadScope, expected?: Expected): Promise<Namespace | undefined> {
    await this.#clock.yield();
    const namespace = this.#host.namespaces.get(netns);
    return namespace && this.#leadsThere(netns, expected) ? viewOf(namespace, scope) : undefined;
  }

  async apply(ops: readonly Op[], expected?: Expected): Promise<readonly OpResult[]> {
    const results: OpResult[] = [];
    for (const [index, op] of ops.entries()) {
      if (index % batch === 0) await this.#clock.yield();
      this.writes++;
      results.push(this.#fault(op) ?? this.#runOwn(op, expected));
    }
    return results;
  }

  watch(netns: NetnsPath, onEvent: OnWatchEvent): Watch | undefined {
    const namespace = this.#host.namespaces.get(netns);
    if (namespace === undefined) return undefined;
    const watches = this.#watches.get(namespace) ?? new Set();
    this.#watches.set(namespace, watches.add(onEvent));
    return { close: () => void watches.delete(onEvent) };
  }

  watchContainer(
    netns: NetnsPath,
    desired: Namespace,
    onChange: () => void,
    expected?: Expected,
  ): ContainerWatch | undefined {
    const namespace = this.#host.namespaces.get(netns);
    if (namespace === undefined || namespace.isHostNetns || !this.#leadsThere(netns, expected)) return undefined;
    return this.#containers.add(netns, namespace, desired, onChange);
  }

  async announce(netns: NetnsPath, dev: string, announcements: readonly Announcement[]): Promise<void> {
    await this.#clock.yield();
    try {
      announce(this.#host.namespace(netns), dev, announcements);
    } catch (error) {
      throw error instanceof Refusal ? new KernelError(error.errno, error.message) : error;
    }
    this.announced.push(...announcements);
  }

  ownNetns(): Promise<readonly NetnsPath[]> {
    const own = [...this.#host.namespaces.keys()].filter((path) => /(^|\/)cw-[^/]*$/.test(path));
    return Promise.resolve(own);
  }

  identify(netns: NetnsPath): Promise<NetnsIdentity | undefined> {
    return Promise.resolve(this.#identityOf(this.#host.namespaces.get(netns)));
  }

  eventsLost(): number {
    return this.#eventsLost;
  }

  hasUniqueIdentities(): boolean {
    return this.#hasCookies;
  }

  underlay(address: Ip): Promise<Underlay | undefined> {
    for (const link of this.#host.namespace(hostNetns).links.values()) {
      if (hasAddress(link, address)) {
        return Promise.resolve({ address, device: link.link.name, mtu: link.link.mtu });
      }
    }
    return Promise.resolve(undefined);
  }

  routes(): Promise<readonly Prefix[]> {
    const namespace = this.#host.namespace(hostNetns);
    const connected = [...namespace.links.values()].flatMap((link) => [...addressesOf(link)].map(prefixOf));
    const others = routesOf(namespace).map(({ dst }) => dst);
    return Promise.resolve([...new Set([...connected, ...others])].filter(isReported).sort());
  }

  close(): void {
    this.#newPairs.close();
    this.#containers.close();
    this.#watches.clear();
  }

  /** `ip netns add`, by a container runtime. */
  foreignNetns(path: NetnsPath): NetnsPath {
    this.#host.addNamespace(path);
    return path;
  }

  /** `mount --bind` of a namespace, by another program; a symbolic link does the same. */
  foreignBind(path: NetnsPath, to: NetnsPath): NetnsPath {
    this.#host.bind(path, to);
    return path;
  }

  /** "device:inode", as stat(2) of the path returns. */
  inodeOf(netns: NetnsPath): string {
    return bareInode(this.#host.namespace(netns));
  }

  /** Another program runs ops. Throws at the first op that the kernel refuses. */
  foreign(...ops: readonly Op[]): void {
    for (const op of ops) {
      const result = this.#run(op);
      if (!result.ok) throw new Error(`${op.op}: ${result.errno} ${result.message}`);
    }
  }

  /** `bridge fdb append … self dst VTEP`, by another program. */
  foreignFdbAppend(netns: NetnsPath, dev: string, mac: Mac, vtep: Ip): void {
    const namespace = this.#host.namespace(netns);
    appendFdb(namespace, dev, mac, vtep);
    this.#changed(namespace, (changes) => reportFdb(changes, dev, mac));
  }

  /** `ip link add NAME type dummy`, by another program: a kind that we never make. */
  foreignLink(netns: NetnsPath, name: string, group = 0): void {
    const link: ForeignLink = { kind: 'foreign', name, mac: Mac('02:00:00:00:00:02'), mtu: 1500, up: false };
    this.#host.addLink(this.#host.namespace(netns), link, { group });
  }

  /** `ip link set NAME netns TO`, by another program. */
  foreignMove(netns: NetnsPath, name: string, to: NetnsPath): void {
    this.#host.moveLink(this.#host.namespace(netns), name, this.#host.namespace(to));
  }

  /** `ip neighbour flush dev DEV`, by another program. */
  foreignNeighbourFlush(netns: NetnsPath, dev: string): void {
    const namespace = this.#host.namespace(netns);
    const link = namespace.links.get(dev);
    if (link === undefined) return;
    const neighbours = neighboursOf(link);
    for (const ip of neighbours.keys()) this.#changed(namespace, (changes) => changes.add('neighbours', dev, ip));
    neighbours.clear();
  }

  /** Another program opens a socket at the port of ESP in UDP. Returns what closes it. */
  foreignSocket(address: Ip): () => void {
    const sockets = encapSocketsOf(this.#host.namespace(hostNetns));
    sockets.set(address, 'foreign');
    return () => sockets.delete(address);
  }

  /** A packet of the SA comes from this UDP port: a NAT has given the peer another one. */
  foreignArrival(netns: NetnsPath, id: Parameters<typeof stateKey>[0], port: number): void {
    const namespace = this.#host.namespace(netns);
    arrivalsOf(namespace).set(stateKey(id), port);
    this.#changed(namespace, (changes) => {
      changes.more = true;
    });
  }

  /** A program sends to an address that has no neighbour entry yet: the kernel asks for the address in vain. */
  foreignAsk(netns: NetnsPath, dev: string, ip: Ip): void {
    askedOf(findLink(this.#host.namespace(netns), dev)).set(ip, undefined);
  }

  /** The MAC that the link has learned for an address since `foreignAsk`. */
  resolved(netns: NetnsPath, dev: string, ip: Ip): Mac | undefined {
    return askedOf(findLink(this.#host.namespace(netns), dev)).get(ip);
  }

  /** Runs the ops. The watches of the namespace lose the events of these ops, and learn only that events were lost. */
  overrun(netns: NetnsPath, ...lost: readonly Op[]): void {
    const namespace = this.#host.namespace(netns);
    this.foreign(...lost);
    this.#dirty.delete(namespace);
    this.#eventsLost++;
    this.#notify(namespace, 'overrun');
  }

  /** The next `times` ops that match fail with this errno and change nothing. */
  failNext(matches: OpKind | ((op: Op) => boolean), errno: string, times = 1): void {
    const predicate = typeof matches === 'string' ? (op: Op): boolean => op.op === matches : matches;
    const fault: Fault = { matches: predicate, result: { ok: false, errno, message: 'as the test asked' } };
    this.#faults = [...this.#faults, ...Array<Fault>(times).fill(fault)];
  }

  /** Ends all failures that `failNext` has set. */
  failNoMore(): void {
    this.#faults = [];
  }

  #leadsThere(netns: NetnsPath, expected: Expected = new Map()): boolean {
    const identity = expected.get(netns);
    return identity === undefined || identity === this.#identityOf(this.#host.namespaces.get(netns));
  }

  /** If a path leads elsewhere than expected, nothing is there: an object to delete is absent. */
  #runOwn(op: Op, expected: Expected | undefined): OpResult {
    const peer = op.op === 'link.add' && op.link.kind === 'veth' ? op.link.peer?.netns : undefined;
    if (!this.#leadsThere(op.netns, expected)) {
      return isDelete(op) ? { ok: true } : { ok: false, errno: 'ENOENT', message: `no namespace at ${op.netns}` };
    }
    if (peer !== undefined && !this.#leadsThere(peer, expected)) {
      return { ok: false, errno: 'ENOENT', message: `no namespace at ${peer}` };
    }
    if (this.#isOnForeignLink(op)) {
      return isDelete(op) ? { ok: true } : { ok: false, errno: 'ENODEV', message: 'the link is not ours' };
    }
    return this.#run(op, reportOwn);
  }

  /** In the host namespace `apply` touches only our links. */
  #isOnForeignLink(op: Op): boolean {
    if (op.netns !== hostNetns || op.op === 'link.add') return false;
    const link = this.#host.namespace(hostNetns).links.get(deviceOf(op) ?? '');
    return link !== undefined && !isOurHostLink({ name: link.link.name, group: link.group });
  }

  #identityOf(namespace: FakeNamespace | undefined): NetnsIdentity | undefined {
    if (namespace === undefined) return undefined;
    const { cookie } = namespace;
    return netnsIdentity(this.#bootId, this.#hasCookies ? { cookie } : { inode: bareInode(namespace) });
  }

  #fault(op: Op): OpResult | undefined {
    const fault = this.#faults.find((each) => each.matches(op));
    if (fault !== undefined) this.#faults = this.#faults.toSpliced(this.#faults.indexOf(fault), 1);
    return fault?.result;
  }

  #run(op: Op, report = reportOp): OpResult {
    try {
      const before = this.#host.namespaces.get(op.netns);
      this.#running = { op, namespace: before, isOwn: report === reportOwn };
      this.#execute(op);
      if (op.op === 'netns.delete' && before !== undefined) this.#gone(before);
      else if (before !== undefined) {
        this.#containers.touched(before);
        this.#changed(before, (changes) => report(changes, op));
      }
      return { ok: true };
    } catch (error) {
      if (error instanceof Refusal) return { ok: false, errno: error.errno, message: error.message };
      throw error;
    } finally {
      this.#running = undefined;
    }
  }

  /** Carries out one op. Throws a Refusal if it cannot; nothing has changed then. Deleting an absent object succeeds. */
  #execute(op: Op): void {
    if (op.op === 'netns.add') this.#host.addNamespace(op.netns);
    else if (op.op === 'netns.delete') this.#host.removeNamespace(op.netns);
    else if (!isDelete(op) || this.#host.namespaces.has(op.netns)) {
      twinOf(op)?.execute(this.#host.namespace(op.netns), op, this.#host);
    }
  }

  /** Reports all changes of one turn of the event loop together, in the next turn. */
  #changed(namespace: FakeNamespace, report: (changes: ChangeSet) => void): void {
    if (!this.#watches.has(namespace)) return;
    const known = this.#dirty.get(namespace);
    const changes = known ?? new ChangeSet();
    report(changes);
    if (known !== undefined || changes.isEmpty) return;
    this.#dirty.set(namespace, changes);
    void Promise.resolve().then(() => {
      if (this.#dirty.delete(namespace)) this.#notify(namespace, 'changed', changes);
    });
  }

  #gone(namespace: FakeNamespace): void {
    this.#dirty.delete(namespace);
    void Promise.resolve().then(() => {
      this.#notify(namespace, 'gone');
      this.#watches.delete(namespace);
    });
  }

  #notify(namespace: FakeNamespace, event: WatchEvent, changes: Changes = new ChangeSet()): void {
    for (const onEvent of [...(this.#watches.get(namespace) ?? [])]) onEvent(event, changes);
  }
}

/** Whether the op deletes an object in a namespace. `netns.delete` is none: an absent namespace cannot be deleted. */
function isDelete({ op }: Op): boolean {
  return op.endsWith('.delete') && op !== 'netns.delete';
}

/** Adds the changes that an op reports itself. Links report their own changes; namespaces and sysctls report none. */
function reportOp(changes: ChangeSet, op: Op): void {
  twinOf(op)?.report?.(changes, op);
}

/** As `reportOp`, for an op of `apply`: entries that `apply` itself wrote are not reported. */
function reportOwn(changes: ChangeSet, op: Op): void {
  if (twinOf(op)?.reportsOwn?.(op) !== false) reportOp(changes, op);
}

function bareInode({ inode }: FakeNamespace): string {
  return `4:${inode}`;
}
