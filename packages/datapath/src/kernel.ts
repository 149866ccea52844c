import type { Ip, Prefix } from '@causeway/model';
import type { NetnsIdentity } from '@causeway/netlink';
import type { Announcement } from './announce/announcement.ts';
import type { Changes, EntryKeys } from './changes.ts';
import type { Namespace, Op } from './kinds/table.ts';
import type { NetnsPath } from './state.ts';

/** How an op ended. `errno` is a name ("EEXIST"); `message` is the kernel's own text, if it gave one. */
export type OpResult = { readonly ok: true } | { readonly ok: false; readonly errno: string; readonly message: string };

/** What to read of a namespace. */
export interface ReadScope {
  /** Only these links and what belongs to them (a container's namespace is not ours); absent: all links but "lo". */
  readonly links?: readonly string[];
  /** Only these slots are read of those that cost a dump; the others are empty. Absent: all. */
  readonly of?: readonly (keyof Namespace)[];
  /** What belongs to links is limited to these entries, whatever `links` says. For a few entries: each is one request. */
  readonly entries?: EntryKeys;
  readonly sysctls: readonly string[];
}

/**
 * The namespace that each named path must lead to. If the path leads to another namespace, the kernel behaves as if
 * nothing were there: another namespace may have been mounted at the path since the caller looked.
 */
export type Expected = ReadonlyMap<NetnsPath, NetnsIdentity>;

export interface Underlay {
  readonly address: Ip;
  readonly device: string;
  /** Bytes. */
  readonly mtu: number;
}

/** "changed": something in the namespace changed; "overrun": events were lost; "gone": its namespace ended. */
export type WatchEvent = 'changed' | 'overrun' | 'gone';

/** `changes`: everything that the kernel reported, when the event is "changed". */
export type OnWatchEvent = (event: WatchEvent, changes: Changes) => void;

export interface Watch {
  close(): void;
}

/** A watch of what is desired in a container. */
export interface ContainerWatch extends Watch {
  /** From now on this is desired there. */
  expect(desired: Namespace): void;
}

/** The seam to the kernel. The real kernel speaks netlink, the fake one obeys the same rules. contract.ts tests both. */
export interface Kernel {
  /**
   * undefined: no namespace is mounted there. Objects that the kernel makes by itself are not shown, so that the desired
   * state can equal the found state:
   * - links: "lo"; in the host namespace, all that are not ours (`isOurHostLink`). A veth is found without `peer`; a port of
   *   a bridge has `bridgePort`. A kind that we never make is "foreign", and so is a vxlan device that learns or does not
   *   proxy: it must be made anew.
   * - addresses: IPv6 of link scope (fe80::/10), and those of "lo".
   * - routes: all but unicast ones of table main; protocol kernel (connected, multicast), redirect and ra.
   * - neighbours: all that are not NUD_PERMANENT, and group addresses.
   * - fdb of a bridge port: only static entries of the bridge (`master static`: NTF_MASTER, NUD_NOARP, no dst) are shown,
   *   as "port". The bridge's own (permanent) and learned entries and a device's multicast list (`self permanent`) are not.
   * - fdb of a vxlan device: only entries with a remote address (`self dst`), not its bridge's entry of the same MAC.
   * - sysctls: requested keys that do not exist.
   * - sockets for ESP in UDP: those that no process of ours holds (docs/decisions/0031-esp-in-udp.md).
   * - SAs and policies: those of other programs, and larval SAs. The key of a found SA cannot be revealed, only
   *   compared. `arrivesFrom` is known as long as the host namespace is watched.
   * Absent and empty mean the same: a link without addresses may be missing from `addresses`.
   */
  read(netns: NetnsPath, scope: ReadScope, expected?: Expected): Promise<Namespace | undefined>;
  /**
   * Applies the ops in order. A failure does not stop the rest; there are as many results as ops. Deleting an absent object
   * succeeds; any other op on an absent namespace is ENOENT, on an absent link ENODEV.
   * In the host namespace a link without our mark counts as absent, with all that belongs to it. An SA or a policy of another
   * program counts as absent for a deletion. An SA that would take the place of one is EEXIST; a policy takes the place of one.
   * Long runs of neighbour and FDB ops of one device go in batches, with a yield to the event loop between them, and so do runs of one
   * op on SAs or policies.
   */
  apply(ops: readonly Op[], expected?: Expected): Promise<readonly OpResult[]>;
  /**
   * Calls `onEvent` after changes of links, addresses, routes, neighbours or FDB entries, in the host namespace also of SAs and
   * policies, and never from within `apply` or `watch`. Several changes may be reported in one call. Changes of sysctls and sockets,
   * and of what `read` does not show, are not reported, except policies of any program for UDP from or to the port of encrypted
   * VXLAN, which may have taken the place of ours. Our own changes are reported too, except
   * - neighbours and FDB entries with a single target, of which there are thousands: such an entry is reported only when it
   *   is no longer as `apply` of this kernel last wrote it;
   * - SAs, policies and guards of ports;
   * - a new veth: it is reported only when it is not as `apply` last wrote it, or when its other end is not up within a
   *   second.
   * Returns undefined when no namespace is mounted there.
   */
  watch(netns: NetnsPath, onEvent: OnWatchEvent): Watch | undefined;
  /**
   * Calls `onChange` after a link, address or route in a container's namespace has come to differ from `desired`, and after events
   * were lost; never from within a call. Changes that make an object as desired, such as our own, are not reported, nor are
   * changes of the container's own objects, nor those of sysctls. The watch does not keep the namespace alive, and does not report
   * its end. undefined: no namespace is mounted there, or another than expected.
   */
  watchContainer(
    netns: NetnsPath,
    desired: Namespace,
    onChange: () => void,
    expected?: Expected,
  ): ContainerWatch | undefined;
  /**
   * Sends each announcement out of the bridge `dev`, so that containers complete and replace their entries of the address
   * (ARP, neighbour discovery), and does the same to the bridge's own entry. No entry is made that was not asked for.
   * Nothing leaves the host: the tunnel device of an overlay drops these frames (see docs/data-path.md).
   * @throws KernelError ENOENT: no namespace is mounted there. ENODEV: there is no such link. ENETDOWN: the link is down.
   */
  announce(netns: NetnsPath, dev: string, announcements: readonly Announcement[]): Promise<void>;
  /** Mounted namespaces whose file name begins with "cw-". */
  ownNetns(): Promise<readonly NetnsPath[]>;
  /** The namespace that the path leads to; undefined: nothing is there, or not a network namespace. */
  identify(netns: NetnsPath): Promise<NetnsIdentity | undefined>;
  /** Whether identities are never reused; false: the kernel is too old to number namespaces (see `NetnsIdentity`). */
  hasUniqueIdentities(): boolean;
  /** The device in the host namespace that has the address; undefined: no device has it. */
  underlay(address: Ip): Promise<Underlay | undefined>;
  /**
   * The destinations of the unicast routes in the host namespace's main table, sorted, without duplicates. Connected subnets
   * are included; default routes and link-local ones are not.
   */
  routes(): Promise<readonly Prefix[]>;
  /** How often watches lost events since this kernel was made, for any reason; each loss is also reported as "overrun". */
  eventsLost(): number;
  close(): void;
}
