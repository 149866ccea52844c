import type { Changes, Difference, Failure, NetnsPath, Op, ReadScope, State } from '@causeway/datapath';
import type { NetworkId } from '@causeway/model';
import type { Fields } from '@causeway/runtime';

/** A part of the kernel that is reconciled by itself: the host's own part, or one network. */
export type ScopeId = 'host' | NetworkId;

/** What the next pass has to do. */
export type Goal =
  /** Make the kernel hold what is desired. */
  | { readonly kind: 'follow' }
  /** Remove everything, because nothing of the scope is desired any more. */
  | { readonly kind: 'remove' }
  /** Leave the kernel as it is, because what is desired is not known yet. */
  | { readonly kind: 'wait' }
  /** Leave the kernel as it is and report this, because this version cannot build what is desired. */
  | { readonly kind: 'refuse'; readonly refusal: Refusal };

export interface Refusal {
  /** Log event, which is logged with `fields`. */
  readonly event: string;
  readonly fields: Fields;
  readonly why: string;
  /** The difference that stands for everything that cannot be compared. */
  readonly difference: Difference;
}

/** A part of the desired state, with what is needed to compare it with the kernel. */
export type Part =
  /** What the intent has changed. The kernel was made to hold `known` there, so nothing is read. */
  | { readonly kind: 'changed'; readonly desired: State; readonly known: State }
  /** Where the kernel has notified of a change. `scopes`: what to read in namespaces that are not read whole. */
  | { readonly kind: 'dirty'; readonly desired: State; readonly scopes: ReadonlyMap<NetnsPath, ReadScope> }
  | { readonly kind: 'everything'; readonly desired: State };

export type Changed = Extract<Part, { kind: 'changed' }>;
export type DirtyPart = Extract<Part, { kind: 'dirty' }>;

/** What the intent has changed, as far as the change can be named. */
export type IntentChange = 'nothing' | 'everything' | Changed;

/**
 * What `ScopeReconciler` needs to know about its scope. Between two calls of `advance` the scope wants the same, even if
 * the intent changes meanwhile, so that a pass compares the kernel with one intent. A scope omits the methods that it
 * does not need.
 */
export interface Scope {
  readonly id: ScopeId;
  /** Name for people; empty for the host. */
  readonly name: string;
  /**
   * Namespace in which the kernel notifies of changes; absent: there are no notifications, and only the sweep finds
   * changes.
   */
  readonly watched?: NetnsPath;
  /**
   * Whether the intent that `advance` moved on to was known to be complete at that moment. If not, only what is missing is
   * added.
   */
  readonly isConfirmed: boolean;
  /** Called once, before the first pass: `onChange` is to be called after the kernel has notified of changes in containers. */
  watchContainers?(onChange: (changes: Changes) => void): void;
  /** Ends what `watchContainers` began. */
  stop?(): void;
  goal(): Goal;
  /**
   * Called before everything is read: finds the scope's namespaces. Throws when a namespace at its path is not the
   * scope's.
   */
  locate?(): Promise<void>;
  /** Moves on to the present intent. */
  advance(): Promise<IntentChange>;
  /** Everything that is desired. */
  readonly desired: State;
  /** The part of `desired` that must be compared after the kernel has notified of these changes. */
  partOf(changes: Changes): DirtyPart;
  read(part: Exclude<Part, Changed>): Promise<State>;
  apply(ops: readonly Op[]): Promise<readonly Failure[]>;
  /** Leaves out differences that follow from another difference. */
  summary?(found: readonly Difference[]): readonly Difference[];
  /** Whether the scope can remove the difference, so that the difference counts as repaired or as remaining drift. */
  answersFor(difference: Difference): boolean;
  /** Whether the kernel may drop other things, which depend on what the op changes. */
  disturbs?(op: Op): boolean;
  /** Called after the first read of everything in a pass. */
  found?(actual: State): void;
  /** Called when the kernel follows the intent, except for what it refuses. */
  followed?(refused: readonly Failure[]): void;
  /** Removes everything of the scope from the kernel. */
  remove?(): Promise<readonly Failure[]>;
  /** Called when nothing of the scope is left. */
  removed?(): void;
}
