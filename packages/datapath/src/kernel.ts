import type { Ip, Prefix } from '@causeway/model';
import type { NetnsIdentity } from '@causeway/netlink';
import type { Changes, EntryKeys } from './changes.ts';
import type { Namespace, Op } from './kinds/table.ts';
import type { NetnsPath } from './state.ts';

/** How an op ended. `errno` by name ("EEXIST"), `message` in the kernel's own words where it gave any. */
export type OpResult = { readonly ok: true } | { readonly ok: false; readonly errno: string; readonly message: string };

/** What to read of a namespace. */
export interface Scope {
  /** Only these links and what hangs on them (a container's namespace is not ours); absent: all but "lo". */
  readonly links?: readonly string[];
  /** With `links`: those too whose name begins so. */
  readonly orNamed?: string;
  /** Not what hangs on the links: addresses, routes, neighbours and FDB are empty. */
  readonly bare?: true;
  /** Only these entries, whatever `links` says, among what hangs on links. Each is asked for by itself: for a few. */
  readonly entries?: EntryKeys;
  readonly sysctls: readonly string[];
}

/**
 * Which namespace a path must lead to, of the paths it names: where one leads to another, there is nothing. Between the
 * question where a path leads and the next call another namespace may have been mounted there.
 */
export type Expected = ReadonlyMap<NetnsPath, NetnsIdentity>;

export interface Underlay {
  readonly address: Ip;
  readonly device: string;
  /** Bytes. */
  readonly mtu: number;
}

/** "changed": something in the namespace did; "overrun": events were lost; "gone": the watch has ended with its namespace. */
export type Dirt = 'changed' | 'overrun' | 'gone';

/** `changes`: all that was told of, when the dirt is "changed". */
export type OnDirt = (dirt: Dirt, changes: Changes) => void;

export interface Watch {
  close(): void;
}

/** The seam to the kernel. The real one speaks netlink; the fake one obeys the same rules: contract.ts proves both. */
export interface Kernel {
  /**
   * undefined: no namespace is mounted there. What the kernel makes by itself is invisible, so that what is wanted can
   * equal what is found:
   * - links: "lo". A veth is found without `peer`; a port of a bridge has `bridgePort`. A kind we
   *   never make is "foreign", and so is a vxlan device that learns or does not proxy: it must be made anew.
   * - addresses: IPv6 of link scope (fe80::/10), and those of "lo".
   * - routes: all but unicast ones of table main; protocol kernel (connected, multicast), redirect and ra.
   * - neighbours: all that are not NUD_PERMANENT, and group addresses.
   * - fdb of a bridge port: only static entries of the bridge (`master static`: NTF_MASTER, NUD_NOARP, no dst), as
   *   "port"; not the bridge's own (permanent) or learned ones, nor a device's multicast list (`self permanent`).
   * - fdb of a vxlan device: only entries with a remote address (`self dst`); one of the same MAC from its bridge is not.
   * - sysctls: those asked for which do not exist.
   * Absent and empty mean the same: a link without addresses may be missing from `addresses`.
   */
  read(netns: NetnsPath, scope: Scope, expected?: Expected): Promise<Namespace | undefined>;
  /**
   * In order; one failure does not stop the rest; as many results as ops. Deleting what is absent succeeds; anything
   * else on a namespace that is absent is ENOENT, on a link that is absent ENODEV.
   * Long runs of neighbour and FDB ops of one device go in batches, with a yield to the event loop between them.
   */
  apply(ops: readonly Op[], expected?: Expected): Promise<readonly OpResult[]>;
  /**
   * Calls `onDirt` after changes of links, addresses, routes, neighbours or FDB entries (several may be told as one;
   * sysctls are silent, and so is what `read` would not show), never from within `apply` or `watch`; undefined when there is
   * no such namespace. Our own changes are told too, but for neighbours and FDB entries of one target, which come by the
   * thousand: of these, whatever leaves them other than `apply` of this kernel has written them last.
   */
  watch(netns: NetnsPath, onDirt: OnDirt): Watch | undefined;
  /** Mounted namespaces whose file name begins with "cw-". */
  ownNetns(): Promise<readonly NetnsPath[]>;
  /** Which namespace the path leads to; undefined: nothing there, or not a network namespace. */
  identify(netns: NetnsPath): Promise<NetnsIdentity | undefined>;
  /** Whether identities are for good; false: the kernel is too old to number namespaces (see `NetnsIdentity`). */
  hasUniqueIdentities(): boolean;
  /** The device in the home namespace that carries the address; undefined: no device does. */
  underlay(address: Ip): Promise<Underlay | undefined>;
  /**
   * Where the home namespace's main table leads by unicast routes, each once, sorted: connected subnets too, but neither
   * default routes nor link-local ones.
   */
  routes(): Promise<readonly Prefix[]>;
  /** How often events of watches were lost since it was made, for whatever reason; each is told as an overrun too. */
  eventsLost(): number;
  close(): void;
}
