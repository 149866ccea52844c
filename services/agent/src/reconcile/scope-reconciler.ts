import type { Difference, Failure, Kernel } from '@causeway/datapath';
import { messageOf } from '@causeway/model';
import { type Clock, DelayedAction, type Log, milliseconds, type Random, Slices, Worker } from '@causeway/runtime';
import { type Dirty, merged } from './dirty.ts';
import type { HostStats } from './host-stats.ts';
import { differencesOf, type Made, makePart } from './make-part.ts';
import { logFailures } from './op-log.ts';
import { RereadTimer } from './reread-timer.ts';
import type { Changed, DirtyPart, Part, Refusal, Scope } from './scope.ts';
import type { SweepPace } from './sweep-pace.ts';

/** What is known about the scope's kernel after a pass. */
export type Phase =
  /** Nothing is known. Everything is read; the differences are not drift, because the intent may have changed. */
  | { readonly kind: 'unknown' }
  /** The kernel held everything that was desired. A later difference is a change of the intent, or drift. */
  | { readonly kind: 'exact' }
  /**
   * The kernel refuses something, or could not be read (`why`). Everything is read again after a pause, or with the next
   * change.
   */
  | { readonly kind: 'failing'; readonly refused: readonly Failure[]; readonly why?: string };

/** A caller that asks for the differences. Only the first answer counts. */
interface Verification {
  answer(found: readonly Difference[] | Promise<readonly Difference[]>): void;
  fail(error: unknown): void;
}

export interface ScopeReconcilerModules {
  readonly kernel: Pick<Kernel, 'watch'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly stats: HostStats;
  readonly pace: SweepPace;
  readonly onRepaired: (network: string, repaired: readonly Difference[]) => void;
}

/**
 * Keeps one scope's part of the kernel as it is desired, one pass at a time. A pass handles parts of the desired state:
 * first what the intent has changed, then where the kernel is dirty. For each part it does the same: it knows or reads
 * what the kernel holds, plans and applies.
 *
 *   unknown ─ everything read and applied ─▶ exact ─ refused, unreadable ─▶ failing ─ read again ─▶ exact
 */
export class ScopeReconciler {
  readonly #modules: ScopeReconcilerModules;
  readonly #scope: Scope;
  readonly #log: Log;
  readonly #worker = new Worker(() => this.#pass());
  readonly #timer: RereadTimer;
  readonly #sweep: DelayedAction;
  readonly #verifications: Verification[] = [];
  #phase: Phase = { kind: 'unknown' };
  /** Collected in every phase: a change during a read of everything may come after the read of the changed object. */
  #dirty: Dirty = 'everything';

  constructor(modules: ScopeReconcilerModules, scope: Scope) {
    this.#modules = modules;
    this.#scope = scope;
    this.#log = modules.log.child(scope.id === 'host' ? {} : { networkId: scope.id });
    const reread = (dirty: Dirty): void => void this.reread(dirty);
    this.#timer = new RereadTimer({ ...modules, reread }, { netns: scope.watched });
    scope.watchContainers?.((changes) => this.#timer.changed('changed', changes));
    this.#sweep = new DelayedAction({ clock: modules.clock, action: () => this.#sweepNow() });
    // The first sweep is at a random time in the interval, so that the scopes of a host take turns.
    this.#sweep.in(milliseconds(modules.pace.interval * modules.random.float()));
  }

  /** Makes the kernel follow the present intent. Returns what is known about the kernel afterwards. */
  async follow(): Promise<Phase> {
    await this.#worker.poke();
    return this.#phase;
  }

  /** Compares the kernel with the intent at these keys; by default everything. */
  reread(dirty: Dirty = 'everything'): Promise<void> {
    this.#dirty = merged(this.#dirty, dirty);
    return this.#worker.poke();
  }

  /** The present differences. */
  verify(): Promise<readonly Difference[]> {
    // The remains of a removed scope are being removed, which takes as long as the kernel needs. They are not
    // differences.
    if (this.#scope.goal().kind === 'remove') return Promise.resolve([]);
    return new Promise((answer, fail) => {
      this.#verifications.push({ answer, fail });
      void this.#worker.poke();
    });
  }

  /** Leaves the kernel as it is. */
  async stop(): Promise<void> {
    await this.#worker.stop();
    this.#sweep.stop();
    this.#timer.stop();
    this.#scope.stop?.();
  }

  /** Finds changes that the kernel does not notify of. */
  #sweepNow(): void {
    this.#sweep.in(this.#modules.pace.interval);
    void this.reread();
  }

  /** Survives every failure: the failure is logged, and another pass is made after a pause. */
  async #pass(): Promise<void> {
    // Questions that arrive from now on are answered by the next pass, because this pass may have read before the
    // question.
    const asked = this.#verifications.splice(0);
    try {
      const goal = this.#scope.goal();
      if (goal.kind === 'follow') await this.#follow(asked);
      else if (goal.kind === 'remove') await this.#remove();
      else if (goal.kind === 'refuse') this.#refuse(goal.refusal, asked);
      else this.#phase = { kind: 'unknown' };
    } catch (error) {
      const why = messageOf(error);
      this.#phase = { kind: 'failing', refused: [], why };
      this.#log.error(this.#scope.id === 'host' ? 'host.not-reconciled' : 'network.not-reconciled', { message: why });
      this.#timer.failed();
      for (const { fail } of asked) fail(error);
    } finally {
      for (const { answer } of asked) answer([]);
    }
  }

  async #follow(asked: readonly Verification[]): Promise<void> {
    const scope = this.#scope;
    const changed = await scope.advance();
    if (changed === 'everything') this.#phase = { kind: 'unknown' };
    else if (changed !== 'nothing' && this.#phase.kind === 'exact') await this.#followChange(changed);
    if (asked.length > 0) await this.#answer(asked);
    if (this.#phase.kind === 'exact' && typeof this.#dirty === 'object') await this.#repair(scope.partOf(this.#dirty));
    if (this.#phase.kind !== 'exact' || this.#dirty === 'everything') await this.#makeEverything();
  }

  /** exact -> exact, failing. In other phases everything is read anyway. */
  async #followChange(part: Changed): Promise<void> {
    const { refused } = await this.#make(part, { isDrift: false, isConfirmed: true });
    if (refused.length > 0) this.#phase = { kind: 'failing', refused };
    else this.#scope.followed?.([]);
  }

  /** exact -> exact, failing. Marks everything as dirty when the differences concern more than this part. */
  async #repair(part: DirtyPart): Promise<void> {
    this.#dirty = 'nothing';
    const made = await this.#make(part, { isDrift: true, isConfirmed: true });
    if (made.isMore) this.#dirty = 'everything';
    if (part.scopes.size === 0) this.#timer.wholeReadTook(made.readTook);
    if (!made.isMore) await this.#account(part, made, { kind: 'exact' });
  }

  /** unknown, exact, failing -> exact, failing; or unknown, until the intent is confirmed. */
  async #makeEverything(): Promise<void> {
    const scope = this.#scope;
    await scope.locate?.();
    const isDrift = (await scope.advance()) === 'nothing' && this.#phase.kind === 'exact';
    const { isConfirmed } = scope;
    this.#dirty = 'nothing';
    const part = { kind: 'everything', desired: scope.desired } as const;
    const made = await this.#make(part, { isDrift, isConfirmed });
    this.#timer.wholeReadTook(made.readTook);
    this.#modules.pace.took(scope.id, made.readTook);
    await this.#account(part, made, { kind: isConfirmed ? 'exact' : 'unknown' });
    if (isConfirmed) scope.followed?.(made.refused);
  }

  async #make(part: Part, { isDrift, isConfirmed }: { isDrift: boolean; isConfirmed: boolean }): Promise<Made> {
    const { clock } = this.#modules;
    const refusedBefore = this.#phase.kind === 'failing' ? this.#phase.refused : [];
    const modules = { scope: this.#scope, clock, log: this.#log, onRead: () => this.#timer.watch() };
    return await makePart(modules, part, { isDrift, isConfirmed, refusedBefore });
  }

  /** A difference that was found before and is gone now was repaired. The others remain. */
  async #account(part: Exclude<Part, Changed>, { found, refused }: Made, reached: Phase): Promise<void> {
    const { stats, onRepaired } = this.#modules;
    this.#phase = refused.length === 0 ? reached : { kind: 'failing', refused };
    const standing = refused.length === 0 ? [] : await this.#standing(part);
    stats.unresolved(this.#scope.id, standing.length);
    const still = new Set(standing.map(nameOf));
    const repaired = found.filter((difference) => !still.has(nameOf(difference)));
    if (repaired.length > 0) onRepaired(this.#scope.name, repaired);
    if (refused.length > 0) this.#timer.failed();
    else this.#timer.succeeded();
  }

  async #answer(asked: readonly Verification[]): Promise<void> {
    const part = { kind: 'everything', desired: this.#scope.desired } as const;
    const result = this.#differences(part);
    for (const { answer } of asked) answer(result);
    await result;
  }

  async #standing(part: Exclude<Part, Changed>): Promise<readonly Difference[]> {
    const found = await this.#differences(part);
    return found.filter((difference) => this.#scope.answersFor(difference));
  }

  async #differences(part: Exclude<Part, Changed>): Promise<readonly Difference[]> {
    const [scope, slices] = [this.#scope, new Slices(this.#modules)];
    return await differencesOf(scope, await scope.read(part), part.desired, slices);
  }

  async #remove(): Promise<void> {
    const scope = this.#scope;
    this.#timer.unwatch();
    const before = this.#phase.kind === 'failing' ? this.#phase.refused : [];
    const refused = (await scope.remove?.()) ?? [];
    logFailures(this.#log, refused, before);
    this.#phase = refused.length === 0 ? { kind: 'unknown' } : { kind: 'failing', refused };
    if (refused.length === 0) return scope.removed?.();
    this.#modules.stats.unresolved(scope.id, refused.length);
    this.#timer.failed();
  }

  #refuse({ event, fields, why, difference }: Refusal, asked: readonly Verification[]): void {
    const isNew = this.#phase.kind !== 'failing' || this.#phase.why !== why;
    if (isNew) this.#log.error(event, { ...fields, message: why });
    this.#phase = { kind: 'failing', refused: [], why };
    this.#modules.stats.unresolved(this.#scope.id, 1);
    for (const { answer } of asked) answer([difference]);
  }
}

function nameOf({ netns, kind, key }: Difference): string {
  return `${netns} ${kind} ${key}`;
}
