import { CausewayError } from '@causeway/model';
import { type Clock, type Duration, milliseconds, waitOver } from '@causeway/runtime';
import { isNoAnswer, isRefused, isTransient, isUnreachable, leaderNamed, mostUseful } from './failure.ts';
import { hedgeWrite, nextStep, order, type Policy } from './policy.ts';

/** Makes one try of a call. */
export type Attempt<Value> = (
  address: string,
  remaining: Duration,
  /** True except for the first try: a server may still have, or still receive, the call of an earlier try. */
  isRetry: boolean,
  /** Aborts when the answer is no longer needed. */
  signal: AbortSignal,
) => Promise<Value>;

export interface RunOptions extends Policy {
  readonly signal?: AbortSignal | undefined;
  /** The call changes nothing, so the answer of each try stands for itself. */
  readonly readsOnly?: boolean;
  /**
   * A server that accepts no connection, or is silent on a new one, counts as one that refuses. For calls that must not
   * wait.
   */
  readonly hangingRefuses?: boolean;
}

/**
 * Finds the server that can serve a call: first the server that served last, then the one that a refusal names as
 * leader, then the next known server. The call goes to another server only after an "unavailable" answer or silence. If
 * a server does not answer soon, the next server is asked as well, and from then on the silent server is asked last.
 * This is safe because every request that changes something has a request id. A process uses one Failover for all calls
 * to the same servers, so that each call profits from what other calls have found out.
 */
export class Failover {
  #known: readonly string[];
  readonly #clock: Clock;
  readonly #silent = new Map<string, number>();
  #preferred: string;

  constructor(addresses: readonly string[], clock: Clock) {
    this.#known = addresses;
    this.#clock = clock;
    this.#preferred = firstOf(addresses);
  }

  /**
   * From now on these are the servers, also for calls under way. A server that is not among them is not asked any more, unless a
   * refusal names it as leader.
   */
  know(addresses: readonly string[]): void {
    const first = firstOf(addresses);
    const isGone = (server: string): boolean => this.#known.includes(server) && !addresses.includes(server);
    if (isGone(this.#preferred)) this.#preferred = first;
    for (const server of [...this.#silent.keys()].filter(isGone)) this.#silent.delete(server);
    this.#known = addresses;
  }

  /** All servers that were given last. */
  get known(): readonly string[] {
    return this.#known;
  }

  /** The server to try first. */
  get current(): string {
    return this.#ordered()[0] ?? this.#preferred;
  }

  /** Call when `address` could not serve, or did not answer: chooses the next server. */
  moveOn(address: string, error: unknown): void {
    if (isNoAnswer(error) && !isRefused(error)) this.#silent.set(address, this.#clock.now());
    else this.#silent.delete(address);
    const leader = leaderNamed(error);
    const next = this.#known[(this.#known.indexOf(address) + 1) % this.#known.length] ?? address;
    this.#preferred = leader !== undefined && leader !== address ? leader : next;
  }

  /** Call when `address` has answered. */
  stay(address: string): void {
    this.#silent.delete(address);
    this.#preferred = address;
  }

  /**
   * Tries until a server gives an answer other than "unavailable", or the time is over. Then it throws the error that says
   * most. `hedgeAfter` defaults to the value for changes.
   */
  async run<Value>(timeout: Duration, attempt: Attempt<Value>, options: RunOptions = {}): Promise<Value> {
    const { signal, readsOnly = false, hangingRefuses = false, ...policy } = { hedgeAfter: hedgeWrite, ...options };
    const tries = new Tries(attempt, this.#clock, timeout, signal);
    try {
      for (;;) {
        const now = this.#clock.now();
        const step = signal?.aborted
          ? ({ step: 'end', why: 'deadline' } as const)
          : nextStep(
              this.#ordered(),
              tries.progress(this.#known, hangingRefuses ? isUnreachable : isRefused),
              policy,
              now,
            );
        if (step.step === 'end') throw tries.failure();
        if (step.step === 'ask') tries.begin(step.server);
        else if (step.step === 'next-round') tries.beginRound();
        else {
          const ended = await tries.next(milliseconds(Math.max(0, step.until - now)));
          if (ended === undefined) continue;
          if (ended.answered) {
            this.#learn(tries, ended.address);
            return ended.value;
          }
          if (!isTransient(ended.error)) {
            if (readsOnly || tries.isFinal(ended)) throw ended.error;
            continue;
          }
          this.moveOn(ended.address, ended.error);
        }
      }
    } finally {
      tries.cancel();
    }
  }

  #ordered(): readonly string[] {
    return order(this.#known, { preferred: this.#preferred, silent: this.#silent }, this.#clock.now());
  }

  /** Servers that were asked before the one that answered, and have not answered yet, are silent. */
  #learn(tries: Tries<unknown>, answered: string): void {
    for (const [address, since] of tries.underWay) this.#silent.set(address, since);
    this.stay(answered);
  }
}

function firstOf(addresses: readonly string[]): string {
  const [first] = addresses;
  if (first === undefined) throw new CausewayError('invalid-argument', 'no manager address is known');
  return first;
}

type End<Value> = { readonly address: string; readonly isRetry: boolean } & (
  | { readonly answered: true; readonly value: Value }
  | { readonly answered: false; readonly error: unknown }
);

/** The tries of one call. */
class Tries<Value> {
  readonly underWay = new Map<string, number>();
  readonly #attempt: Attempt<Value>;
  readonly #clock: Clock;
  readonly #began: number;
  readonly #deadline: number;
  readonly #over = new AbortController();
  readonly #signal: AbortSignal;
  readonly #ended: End<Value>[] = [];
  /** The last failure of each server. */
  readonly #failures = new Map<string, CausewayError>();
  readonly #asked = new Set<string>();
  #wake: () => void = () => undefined;
  #lastEnd: number | undefined;
  #refusedSince: number | undefined;
  #count = 0;

  constructor(attempt: Attempt<Value>, clock: Clock, timeout: Duration, signal: AbortSignal | undefined) {
    this.#attempt = attempt;
    this.#clock = clock;
    this.#began = clock.now();
    this.#deadline = this.#began + timeout;
    this.#signal = signal === undefined ? this.#over.signal : AbortSignal.any([signal, this.#over.signal]);
  }

  progress(known: readonly string[], refuses: (failure: unknown) => boolean) {
    const allRefuse = known.every((address) => refuses(this.#failures.get(address)));
    this.#refusedSince = allRefuse ? (this.#refusedSince ?? this.#clock.now()) : undefined;
    return {
      began: this.#began,
      deadline: this.#deadline,
      underWay: this.underWay,
      asked: this.#asked,
      ...(this.#lastEnd !== undefined && { lastEnd: this.#lastEnd }),
      ...(this.#refusedSince !== undefined && { refusedSince: this.#refusedSince }),
    };
  }

  begin(address: string): void {
    const isRetry = this.#count++ > 0;
    this.#asked.add(address);
    this.underWay.set(address, this.#clock.now());
    const remaining = milliseconds(Math.max(1, this.#deadline - this.#clock.now()));
    const end = (ended: End<Value>): void => {
      this.#ended.push(ended);
      this.#wake();
    };
    // An error that the attempt throws synchronously also ends only this try, not the call.
    new Promise<Value>((resolve) => resolve(this.#attempt(address, remaining, isRetry, this.#signal))).then(
      (value) => end({ address, isRetry, answered: true, value }),
      (error: unknown) => end({ address, isRetry, answered: false, error }),
    );
  }

  beginRound(): void {
    this.#asked.clear();
    for (const address of this.underWay.keys()) this.#asked.add(address);
    this.#lastEnd = undefined;
  }

  /** The next try that ends within the time span and before the signal aborts. */
  async next(span: Duration): Promise<End<Value> | undefined> {
    if (this.#ended.length === 0) {
      const woken = new AbortController();
      this.#wake = () => woken.abort(waitOver);
      const { signal } = woken;
      await this.#clock.sleep(span, AbortSignal.any([signal, this.#signal]));
      this.#wake = () => undefined;
    }
    const ended = this.#ended.shift();
    if (ended === undefined) return undefined;
    this.underWay.delete(ended.address);
    this.#lastEnd = this.#clock.now();
    if (!ended.answered && isTransient(ended.error)) this.#failures.set(ended.address, ended.error);
    return ended;
  }

  /**
   * Whether a refusal ends the call. A refusal of a change's first try does not, once further tries were sent: each of
   * them may still be carried out. Later tries say that they are copies. A manager refuses such a copy only if no other
   * copy can still be carried out.
   */
  isFinal({ isRetry }: { readonly isRetry: boolean }): boolean {
    return isRetry || this.#count === 1;
  }

  failure(): CausewayError {
    const silence = new CausewayError('timed-out', 'no answer in time', { grpcCode: 4 });
    for (const address of this.underWay.keys()) this.#failures.set(address, silence);
    return mostUseful([...this.#failures.values()]);
  }

  cancel(): void {
    this.#over.abort(waitOver);
  }
}
