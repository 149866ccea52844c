import type { Changes, Difference, Failure, NetnsPath, Op, Scope as ReadScope, State } from '@causeway/datapath';
import type { NetworkId } from '@causeway/model';
import type { Fields } from '@causeway/runtime';

/** What is reconciled by itself: the host's own part of the kernel, or that of one network. */
export type ScopeId = 'host' | NetworkId;

/** What the next pass is to do. */
export type Goal =
  /** The kernel is made to hold what is wanted. */
  | { readonly kind: 'follow' }
  /** Nothing of the scope is wanted any more. */
  | { readonly kind: 'remove' }
  /** What is wanted is not known yet: the kernel stays as it is. */
  | { readonly kind: 'wait' }
  /** This version cannot build what is wanted: the kernel stays as it is, and that is said. */
  | { readonly kind: 'refuse'; readonly refusal: Refusal };

export interface Refusal {
  /** Of the log, with its fields. */
  readonly event: string;
  readonly fields: Fields;
  readonly why: string;
  /** What stands for all that cannot be compared. */
  readonly difference: Difference;
}

/** A part of what is wanted, and what of the kernel it is compared with. */
export type Part =
  /** What the intent has changed: the kernel was made to hold `known` there, so nothing is read. */
  | { readonly kind: 'changed'; readonly wanted: State; readonly known: State }
  /** Where the kernel said that something changed. `scopes`: of namespaces that are not read whole, what is. */
  | { readonly kind: 'dirty'; readonly wanted: State; readonly scopes: ReadonlyMap<NetnsPath, ReadScope> }
  | { readonly kind: 'everything'; readonly wanted: State };

export type Changed = Extract<Part, { kind: 'changed' }>;
export type DirtyPart = Extract<Part, { kind: 'dirty' }>;

/** What the intent has changed, as far as it can be named. */
export type IntentChange = 'nothing' | 'everything' | Changed;

/**
 * What `ScopeReconciler` needs to know of its scope. Between two calls of `advance` the scope wants the same, however the
 * intent changes meanwhile: a pass compares the kernel with one intent. A scope leaves out what it has no use for.
 */
export interface Scope {
  readonly id: ScopeId;
  /** What people call it; empty for the host. */
  readonly name: string;
  /** Where the kernel says what changes; absent: it says nothing, and only the sweep looks. */
  readonly watched?: NetnsPath;
  /** Whether the intent is known to be whole: before, only what is missing is added. */
  readonly isConfirmed: boolean;
  goal(): Goal;
  /** Before everything is read: finds out which namespaces are the scope's. Throws when one is somebody else's. */
  locate?(): Promise<void>;
  /** Goes over to the intent as it is now. */
  advance(): Promise<IntentChange>;
  /** Everything that is wanted. */
  readonly wanted: State;
  /** What of it must be looked at after the kernel has said that something changed. */
  partOf(changes: Changes): DirtyPart;
  read(part: Exclude<Part, Changed>): Promise<State>;
  apply(ops: readonly Op[]): Promise<readonly Failure[]>;
  /** Without what is said by another difference already. */
  summary?(found: readonly Difference[]): readonly Difference[];
  /** Whether the scope can make what differs as it should be, so that it is repaired or stands. */
  answersFor(difference: Difference): boolean;
  /** Whether things hang on what the op changes that the kernel may drop with the change. */
  disturbs?(op: Op): boolean;
  /** Everything was read, for the first time in this pass. */
  found?(actual: State): void;
  /** The kernel follows the intent, except for what it refuses. */
  followed?(refused: readonly Failure[]): void;
  /** Takes everything of the scope out of the kernel. */
  remove?(): Promise<readonly Failure[]>;
  /** Nothing of it is left. */
  removed?(): void;
}
