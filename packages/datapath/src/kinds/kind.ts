import type { Encode, MessageReader, MessageWriter } from '@causeway/netlink';
import type { Draft } from '../draft.ts';
import type { Scope } from '../kernel.ts';
import type { NetnsPath, State } from '../state.ts';
import type { LinkRecord } from '../wire/link.ts';
import type { WrittenEntry } from '../wire/own-entries.ts';
import type { Namespace, Op, Place } from './table.ts';

/**
 * One kind of thing that a kernel holds: a route, a neighbour. Everything that plans, compares, prints, reads and applies
 * goes through the table of kinds (table.ts) and knows none of them by name, so a new kind is a new object.
 * The kind's half of the kernel in memory, and its contract with both kernels, are its `Twin` (testing/twin.ts).
 */
export interface Kind<Name extends string, Key, Value, KindOp extends Op> extends Comparison<Name, Key, Value, KindOp> {
  /** Where a namespace has things of the kind. */
  readonly slot: keyof Namespace;
  /** What of them is compared by itself. */
  readonly parts?: readonly AnyComparison[];
  /** All of it, one thing a line, in order of names. Nothing secret. */
  list(namespace: Namespace): readonly string[];

  /** What can be done about them. */
  readonly ops: readonly KindOp['op'][];
  /** The command that the op equals, for people to read, and to type. Ops are logged so: a secret is to be a `Secret`. */
  print(op: KindOp): string;
  /** The link that the op is about, if it is about one. */
  device(op: KindOp): string | undefined;
  /** What of the op only adds to what was found in its namespace, and takes nothing away from traffic that flows. */
  additive(op: KindOp, found: Namespace | undefined): KindOp | undefined;
  /** What must be made or deleted before anything is compared, for which one namespace is not enough to look at. */
  make?(actual: State, wanted: State): readonly Step<KindOp>[];

  /** Does to the state what the op does in a kernel; returns what else happens to links by that. */
  foresee?(state: Map<NetnsPath, Draft>, op: KindOp): readonly LinkEvent[];
  /** What becomes of things of the kind when something happens to the link that they hang on. */
  follow?(namespace: Draft, dev: string, what: LinkFate): void;

  /** How the real kernel is asked for them, and told of them. */
  readonly real: Real<KindOp>;
}

/** How things that are found are compared with things that are wanted, and made the same. */
export interface Comparison<Name extends string, Key, Value, KindOp extends Op> {
  /** As differences name it. */
  readonly name: Name;
  /**
   * When in a plan: what a link is can take what hangs on it along, and so can the going of an address. A plan compares each
   * stage with what the kernel will hold after the stages before.
   */
  readonly stage: Stage;
  /** Things that are not as wanted; undefined: a pause. Which of them is our business is for `isOurs` to say. */
  compare(found: Namespace | undefined, wanted: Namespace | undefined): Iterable<Sides<Key, Value> | undefined>;
  /** Who owns it: whether a thing that is found in the namespace, and not wanted, is ours to remove. See owner.ts. */
  isOurs(netns: NetnsPath, key: Key, found: Value): boolean;
  /** What differs, in words. Nothing secret. */
  words(sides: Sides<Key, Value>): Words;
  /** What puts it right. */
  steps(netns: NetnsPath, sides: Sides<Key, Value>): readonly Step<KindOp>[];
}

export type AnyComparison = Comparison<string, unknown, unknown, Op>;
export type AnyKind = Kind<string, unknown, unknown, Op>;

export const stages = ['link', 'on link', 'entry'] as const;
export type Stage = (typeof stages)[number];

/** What is found and what is wanted of one thing, when they are not the same. Absent: not there, or not wanted. */
export interface Sides<Key, Value> {
  readonly key: Key;
  readonly actual: Value | undefined;
  readonly intended: Value | undefined;
}

export interface Words {
  /** What it is, within its kind and namespace: "vxlan0 02:42:0a:42:00:09". */
  readonly key: string;
  /** "absent" when there is nothing. */
  readonly actual: string;
  /** "absent" when there should be nothing. */
  readonly intended: string;
}

/** An op, and where in a plan it belongs. */
export type Step<KindOp extends Op = Op> = readonly [Place, KindOp];

/**
 * What the kernel does by itself to what hangs on a link: it is gone; it has left its bridge; it has another MAC; it has no
 * IPv4 any more (its last address went), or no IPv6 (an MTU below the minimum).
 */
export type LinkFate = 'gone' | 'left bridge' | 'new MAC' | 'no IPv4' | 'no IPv6';

export interface LinkEvent {
  readonly netns: NetnsPath;
  readonly dev: string;
  readonly what: LinkFate;
}

/** A kind on the real kernel: its ops are applied one by one, or, where they come by the thousand, in batches. */
export type Real<KindOp extends Op> = Told &
  (
    | { apply(to: Writing, op: KindOp): Promise<void> | void; readonly batch?: undefined }
    | { readonly batch: Batch<KindOp> }
  );

/** How the real kernel tells of things of a kind. */
export interface Told {
  /** The netlink protocol, and its multicast groups that tell of changes; absent: nothing tells of them. */
  readonly protocol?: number;
  readonly groups?: readonly number[];
  /**
   * Messages of these groups by type, and whether one is about something that `read` would find. A change of the kind is
   * then told as `more`. Links, neighbours and FDB entries are told by name: `ChangeFilter` knows them.
   */
  readonly events?: ReadonlyMap<number, (message: MessageReader) => boolean>;
  /** The kind's slot of the namespace, as far as the scope says, by a dump. */
  read?(from: Reading): Promise<ReadonlyMap<unknown, unknown>>;
  /** The same, of what takes no dump, and is read of whichever scope. */
  derive?(from: Reading): ReadonlyMap<unknown, unknown>;
  /** One thing of a link, asked for by itself; absent: a scope's `entries` do not name things of the kind. */
  find?(from: Pick<Reading, 'socket'>, index: number, key: unknown): unknown;
  /** How the kernel says that what is to be deleted is not there, beside ENOENT (its namespace) and ENODEV (its link). */
  readonly absent?: readonly string[];
}

export interface Batch<KindOp extends Op> {
  /** The ops it is sent as, where one message is not enough. */
  split(op: KindOp): readonly KindOp[];
  /** One message. */
  encode(to: MessageWriter, index: number, op: KindOp): void;
  /** The entry as the op leaves it; undefined: what events say of it is always news. */
  written(index: number, op: KindOp): WrittenEntry | undefined;
}

/** A netlink socket in some namespace. */
export interface Requests {
  /** One message; `visit` sees what comes back. Throws KernelError. */
  request(encode: Encode, visit?: (message: MessageReader) => void): void;
  dump<Found>(encode: Encode, empty: () => Found, add: (found: Found, message: MessageReader) => void): Promise<Found>;
}

/** A namespace that is being read. */
export interface Reading {
  readonly isHome: boolean;
  readonly scope: Scope;
  /** Those in scope, by index. */
  readonly links: ReadonlyMap<number, LinkRecord>;
  /** The name of every link, by index. */
  readonly names: ReadonlyMap<number, string>;
  readonly socket: (protocol: number) => Requests;
  /** Those of the keys that exist. */
  readonly sysctls: (keys: readonly string[]) => ReadonlyMap<string, string>;
}

/** Namespaces that are being written to. All of it throws KernelError: ENOENT without the namespace, ENODEV without the link. */
export interface Writing {
  socket(netns: NetnsPath, protocol: number): Requests;
  linkIndex(netns: NetnsPath, dev: string): number;
  hasLink(netns: NetnsPath, dev: string): boolean;
  link(netns: NetnsPath, dev: string): LinkRecord;
  /** An fd for messages that name a namespace; undefined: the home one, which they name by saying nothing. */
  fd(netns: NetnsPath): number | undefined;
  writeSysctl(netns: NetnsPath, key: string, value: string): void;
  /** Tries for up to a second, as long as what it throws may pass. */
  patiently(attempt: () => void, mayPass: (errno: string) => boolean): Promise<void>;
}
