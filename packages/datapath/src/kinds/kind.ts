import type { Ip } from '@causeway/model';
import type { Encode, MessageReader, MessageWriter } from '@causeway/netlink';
import type { Draft } from '../draft.ts';
import type { ReadScope } from '../kernel.ts';
import type { NetnsPath, State } from '../state.ts';
import type { LinkRecord } from '../wire/link.ts';
import type { WrittenEntry } from '../wire/own-entries.ts';
import type { LinkWrite } from '../wire/own-links.ts';
import type { Namespace, Op, Place } from './table.ts';

/**
 * One kind of object that a kernel holds: a route, a neighbour. All code that plans, compares, prints, reads and applies
 * loops over the table of kinds (table.ts) and knows no kind by name, so a new kind is a new object in that table.
 * The kind's part in the fake kernel, and its contract for both kernels, are its `Twin` (testing/twin.ts).
 */
export interface Kind<Name extends string, Key, Value, KindOp extends Op> extends Comparison<Name, Key, Value, KindOp> {
  /** The property of a namespace that holds the objects of this kind. */
  readonly slot: keyof Namespace;
  /** Parts of these objects that are compared separately. */
  readonly parts?: readonly AnyComparison[];
  /** Networks share these objects: all are in the host namespace, and no network's namespace is read for them or watched. */
  readonly isOfHost?: true;
  /** All objects of the kind, one per line, sorted by name. Contains no secrets. */
  list(namespace: Namespace): readonly string[];

  /** The ops of this kind. */
  readonly ops: readonly KindOp['op'][];
  /** The equivalent command, for people to read and to type. Ops are logged in this form: a secret is of a type that prints as "<secret>", as `SaKey`. */
  print(op: KindOp): string;
  /** The link that the op is about; undefined: none. */
  device(op: KindOp): string | undefined;
  /** The part of the op that only adds to what was found in its namespace, and does not disturb traffic that flows. */
  additive(op: KindOp, found: Namespace | undefined): KindOp | undefined;
  /** Steps that make or delete objects before anything is compared, where the planner must look at several namespaces. */
  make?(actual: State, desired: State): readonly Step<KindOp>[];

  /** Changes the state as the op changes a kernel. Returns what else happens to links because of the op. */
  simulate?(state: Map<NetnsPath, Draft>, op: KindOp): readonly LinkEvent[];
  /** Changes the objects of this kind when something happens to the link that they belong to. */
  follow?(namespace: Draft, dev: string, what: LinkEventType): void;

  /** How the real kernel is asked for these objects, and how it notifies of their changes. */
  readonly real: Real<KindOp>;
}

/** How found objects are compared with desired objects, and made equal to them. */
export interface Comparison<Name extends string, Key, Value, KindOp extends Op> {
  /** The name that differences use. */
  readonly name: Name;
  /**
   * The stage of the plan. A change of a link can remove what belongs to the link, and so can the removal of an address.
   * A plan therefore compares each stage with what the kernel will hold after the stages before.
   */
  readonly stage: Stage;
  /**
   * Objects that are not as desired; undefined: the caller may let the event loop turn. `isOurs` decides which of the
   * objects the agent may remove.
   */
  compare(
    found: Namespace | undefined,
    desired: Namespace | undefined,
  ): Iterable<ValueDifference<Key, Value> | undefined>;
  /** Whether an object that is found in the namespace, and not desired, is ours to remove. See owner.ts. */
  isOurs(netns: NetnsPath, key: Key, found: Value): boolean;
  /** The difference in words. Contains no secrets. */
  describe(difference: ValueDifference<Key, Value>): DifferenceText;
  /** The steps that repair the difference. */
  steps(netns: NetnsPath, difference: ValueDifference<Key, Value>): readonly Step<KindOp>[];
}

export type AnyComparison = Comparison<string, unknown, unknown, Op>;
export type AnyKind = Kind<string, unknown, unknown, Op>;

export const stages = ['link', 'on link', 'entry'] as const;
export type Stage = (typeof stages)[number];

/** The found and the desired value of one object, when they differ. Absent: the object is not there, or not desired. */
export interface ValueDifference<Key, Value> {
  readonly key: Key;
  readonly actual: Value | undefined;
  readonly desired: Value | undefined;
}

export interface DifferenceText {
  /** Names the object within its kind and namespace: "vxlan0 02:42:0a:42:00:09". */
  readonly key: string;
  /** "absent": the kernel has no object with this key. */
  readonly actual: string;
  /** "absent": there should be no object with this key. */
  readonly desired: string;
}

/** An op, and its place in a plan. */
export type Step<KindOp extends Op = Op> = readonly [Place, KindOp];

/**
 * A change of a link by which the kernel itself changes what belongs to the link: the link is gone; it has left its bridge;
 * it has another MAC; it has no IPv4 any more (its last address was deleted), or no IPv6 (an MTU below the minimum).
 */
export type LinkEventType = 'gone' | 'left bridge' | 'new MAC' | 'no IPv4' | 'no IPv6';

export interface LinkEvent {
  readonly netns: NetnsPath;
  readonly dev: string;
  readonly what: LinkEventType;
}

/** A kind on the real kernel. Its ops are applied one by one, in runs of one name, or in batches of any where there are thousands of them. */
export type Real<KindOp extends Op> = Observation &
  (
    | {
        apply(to: Writing, op: KindOp): Promise<void> | void;
        /** What the op has written of a link; absent or undefined: every notification about the object counts as a change. */
        written?(op: KindOp): LinkWrite | undefined;
        readonly applyRun?: undefined;
        readonly batch?: undefined;
      }
    | {
        /**
         * Applies ops of one name and namespace, of which there may be hundreds and at most `chunkSize`. Returns why ops failed, by index.
         */
        applyRun(to: Writing, ops: readonly KindOp[]): ReadonlyMap<number, Refused>;
        readonly batch?: undefined;
      }
    | { readonly applyRun?: undefined; readonly batch: Batch<KindOp> }
  );

/** How the real kernel notifies of changes of a kind, and how objects of the kind are read. */
export interface Observation {
  /** The netlink protocol, and its multicast groups that carry notifications; absent: the kernel sends no notifications. */
  readonly protocol?: number;
  readonly groups?: readonly number[];
  /**
   * The message types of these groups, each with a test whether a message is about an object that `read` would find. A
   * change of the kind is then reported as `more`. `ChangeFilter` reports links, neighbours and FDB entries by name.
   */
  readonly events?: ReadonlyMap<number, (message: MessageReader) => boolean>;
  /**
   * What one of these messages says about a desired object in a container; undefined: it is about another object. `nameOf` knows
   * the links on which something is desired. Absent: only reads find changes of the kind in containers.
   */
  judge?(
    message: MessageReader,
    desired: Namespace,
    nameOf: (index: number) => string | undefined,
  ): Verdict | undefined;
  /** Reads the kind's slot of the namespace by a dump, within the scope. */
  read?(from: Reading): Promise<ReadonlyMap<unknown, unknown>>;
  /** The same for a kind that needs no dump. It is read in every scope. */
  derive?(from: Reading): ReadonlyMap<unknown, unknown>;
  /** Asks for one object of a link; absent: the `entries` of a scope do not name objects of this kind. */
  find?(from: Pick<Reading, 'socket'>, index: number, key: unknown): unknown;
  /** Errnos that mean "the object to delete is not there", beside ENOENT (no namespace) and ENODEV (no link). */
  readonly absent?: readonly string[];
}

/** What a notification says about a desired object. `key` names the object among all objects of the namespace. */
export interface Verdict {
  readonly key: string;
  readonly isAsDesired: boolean;
}

export interface Batch<KindOp extends Op> {
  /** The ops to send instead, where one message is not enough for the op. */
  split(op: KindOp): readonly KindOp[];
  /** Writes one message. */
  encode(to: MessageWriter, index: number, op: KindOp): void;
  /** The entry after the op; undefined: every notification about the entry counts as a change. */
  written(index: number, op: KindOp): WrittenEntry | undefined;
}

/** Why the kernel refused a message. */
export interface Refused {
  readonly errno: string;
  readonly message: string;
}

/** A netlink socket in some namespace. */
export interface Requests {
  /** Sends one message; `visit` gets each message of the answer. Throws KernelError. */
  request(encode: Encode, visit?: (message: MessageReader) => void): void;
  /**
   * Sends up to 128 messages at once, which the kernel carries out one after the other. `visit` gets each message of an answer. Returns
   * what the kernel has refused, by index.
   */
  batch(
    messages: readonly Encode[],
    encode: (to: MessageWriter, message: Encode) => void,
    visit?: (message: MessageReader, index: number) => void,
  ): ReadonlyMap<number, Refused>;
  /** Sends messages that the kernel carries out together or not at all. Throws KernelError. */
  transaction(encode: Encode): void;
  dump<Found>(encode: Encode, empty: () => Found, add: (found: Found, message: MessageReader) => void): Promise<Found>;
}

/** A namespace that is being read. */
export interface Reading {
  readonly isHostNetns: boolean;
  readonly scope: ReadScope;
  /** The links in scope, by index. */
  readonly links: ReadonlyMap<number, LinkRecord>;
  /** The name of every link, by index. */
  readonly names: ReadonlyMap<number, string>;
  readonly socket: (protocol: number) => Requests;
  /** By `stateKey`: from which UDP ports packets have come, as notifications of this namespace have said. */
  readonly arrivals: ReadonlyMap<string, number>;
  /** The addresses at which a process of ours holds a socket that takes ESP in UDP. */
  readonly encapSockets: () => ReadonlySet<Ip>;
  /** The values of those keys that exist. */
  readonly sysctls: (keys: readonly string[]) => ReadonlyMap<string, string>;
}

/** The namespaces that a call writes to. Throws KernelError: ENOENT without the namespace, ENODEV without the link. */
export interface Writing {
  socket(netns: NetnsPath, protocol: number): Requests;
  linkIndex(netns: NetnsPath, dev: string): number;
  hasLink(netns: NetnsPath, dev: string): boolean;
  link(netns: NetnsPath, dev: string): LinkRecord;
  /** The call has made the link as a port of the bridge with this index. */
  joined(netns: NetnsPath, dev: string, master: number): void;
  /** The index of the bridge that the link is a port of. The kernel is not asked if this call has made the link. */
  masterOf(netns: NetnsPath, dev: string): number | undefined;
  /** An fd for messages that name a namespace; undefined: the host namespace, for which messages carry no fd. */
  fd(netns: NetnsPath): number | undefined;
  writeSysctl(netns: NetnsPath, key: string, value: string): void;
  /** Opens the socket that takes ESP in UDP at this address, and gives it to a process of its own. */
  openEncapSocket(netns: NetnsPath, address: Ip): Promise<void>;
  /** Ends the process of ours that holds this socket; there may be none. */
  closeEncapSocket(netns: NetnsPath, address: Ip): Promise<void>;
  /** Deletes the links that match and were moved from this namespace to another. */
  deleteMoved(netns: NetnsPath, matches: (link: LinkRecord) => boolean): Promise<void>;
  /** The link of any namespace that matches, and its namespace, in words. */
  whereIs(matches: (link: LinkRecord) => boolean): Promise<string>;
  /** Retries for up to a second, as long as `mayPass` says that the error may go away. */
  patiently(attempt: () => void, mayPass: (errno: string) => boolean): Promise<void>;
}
