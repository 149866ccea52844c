import type { Timer } from '../swim/timers.ts';
import type { SerfEvent } from './effect.ts';
import type { MemberChange, SerfMember } from './roster.ts';

type UserEvent = Extract<SerfEvent, { readonly type: 'user' }>;

/** How long events wait: at most `period`, and less if none has come for `quiescent`. 0: events do not wait. */
interface Periods {
  readonly period: number;
  readonly quiescent: number;
}

type After = (span: number, fire: () => void) => Timer;

/** Calls `flush` when events have waited long enough. */
class Window {
  readonly #periods: Periods;
  readonly #after: After;
  readonly #flush: () => void;
  #latest: Timer | undefined;
  #quiet: Timer | undefined;

  constructor(periods: Periods, after: After, flush: () => void) {
    this.#periods = periods;
    this.#after = after;
    this.#flush = flush;
  }

  /** An event came. */
  touch(): void {
    const { period, quiescent } = this.#periods;
    if (period === 0) {
      this.#close();
      return;
    }
    this.#latest ??= this.#after(period, () => this.#close());
    if (this.#quiet !== undefined) this.#quiet.isCancelled = true;
    if (quiescent > 0) this.#quiet = this.#after(quiescent, () => this.#close());
  }

  #close(): void {
    for (const timer of [this.#latest, this.#quiet]) if (timer !== undefined) timer.isCancelled = true;
    this.#latest = undefined;
    this.#quiet = undefined;
    this.#flush();
  }
}

/** Joins changes of members: of each member only the last change is told, and only if it is not what was told before. */
export class MemberCoalescer {
  readonly #window: Window;
  readonly #tell: (event: SerfEvent) => void;
  readonly #told = new Map<string, MemberChange>();
  #waiting = new Map<string, { readonly change: MemberChange; readonly member: SerfMember }>();

  constructor(periods: Periods, after: After, tell: (event: SerfEvent) => void) {
    this.#window = new Window(periods, after, () => this.#flush());
    this.#tell = tell;
  }

  add(change: MemberChange, member: SerfMember): void {
    this.#waiting.set(member.name, { change, member });
    this.#window.touch();
  }

  #flush(): void {
    const groups = new Map<MemberChange, SerfMember[]>();
    for (const [name, { change, member }] of this.#waiting) {
      if (this.#told.get(name) === change && change !== 'update') continue;
      if (change === 'reap') this.#told.delete(name);
      else this.#told.set(name, change);
      groups.set(change, [...(groups.get(change) ?? []), member]);
    }
    this.#waiting = new Map();
    for (const [type, members] of groups) this.#tell({ type, members });
  }
}

/** Joins user events: of those with one name that may be coalesced, only the last is told, or several of one time. */
export class UserCoalescer {
  readonly #window: Window;
  readonly #tell: (event: SerfEvent) => void;
  #waiting = new Map<string, readonly UserEvent[]>();

  constructor(periods: Periods, after: After, tell: (event: SerfEvent) => void) {
    this.#window = new Window(periods, after, () => this.#flush());
    this.#tell = tell;
  }

  add(event: UserEvent): void {
    if (!event.coalesce) {
      this.#tell(event);
      return;
    }
    const same = this.#waiting.get(event.name) ?? [];
    const time = same[0]?.lTime ?? 0;
    if (event.lTime > time) this.#waiting.set(event.name, [event]);
    else if (event.lTime === time) this.#waiting.set(event.name, [...same, event]);
    this.#window.touch();
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = new Map();
    for (const events of waiting.values()) for (const event of events) this.#tell(event);
  }
}
