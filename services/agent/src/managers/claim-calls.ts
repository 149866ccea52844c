import { CausewayError, isCausewayError } from '@causeway/model';
import { errorFromStatus, type Failover } from '@causeway/proto';
import type { ClaimEndpointRequest, ClaimOutcome } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import type { Endpoint } from '@causeway/proto/gen/causeway/v1/types.js';
import { type Clock, type Duration, milliseconds, waitOver } from '@causeway/runtime';
import type { ManagerLink } from './link.ts';

/** A manager accepts at most this many claims in one call. */
const mostAtOnce = 256;

/**
 * How long a call waits at most for the work of earlier calls, from the start of the last call. So a host that is busy for long,
 * or an attach that hangs, delays no claim by more.
 */
const longestRest = milliseconds(200);

export interface ClaimCallsModules {
  readonly link: Pick<ManagerLink, 'claimEndpoints'>;
  readonly failover: Failover;
  readonly clock: Clock;
}

export interface Claimed {
  readonly endpoint: Endpoint;
  /** Cluster epoch in which the endpoint was claimed. */
  readonly epoch: bigint;
}

interface Waiting {
  readonly request: ClaimEndpointRequest;
  readonly deadline: number;
  /** The claim was in a call that got no answer. */
  sent: boolean;
  /** Aborts when the claim is taken into a call. This ends the timer that would give the claim up. */
  readonly turn: AbortController;
  readonly resolve: (claimed: Claimed) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Sends this host's claims to the managers, one call at a time. Claims that arrive during a call go together in the next
 * call. So a single claim does not wait, and containers that start together need only a few calls.
 *
 * Each call costs the leader a transaction, each host of the network a delta, and the leader a report of each host. So the next
 * call also waits until at least as many claims wait as attaches are being worked on. The host has work meanwhile, and the
 * rule holds on a fast machine as on a slow one.
 */
export class ClaimCalls {
  readonly #modules: ClaimCallsModules;
  readonly #waiting = new Set<Waiting>();
  #running: Promise<void> | undefined;
  /** Number of endpoints that were claimed, and whose attaches are being worked on. */
  #working = 0;
  /** Aborts when there are claims enough for the next call. */
  #rest: AbortController | undefined;

  constructor(modules: ClaimCallsModules) {
    this.#modules = modules;
  }

  /**
   * @throws CausewayError with the managers' reason for a refusal, or with the reason why no manager could be asked in
   * time
   */
  claim(request: ClaimEndpointRequest, timeout: Duration): Promise<Claimed> {
    const { clock } = this.#modules;
    return new Promise((resolve, reject) => {
      const turn = new AbortController();
      const waiting = { request, deadline: clock.now() + timeout, sent: false, turn, resolve, reject };
      this.#waiting.add(waiting);
      this.#look();
      if (this.#running === undefined) this.#running = this.#run();
      else void clock.sleep(timeout, turn.signal).then(() => this.#giveUp(waiting));
    });
  }

  /** Call when the attach of a claimed endpoint has ended, well or not. */
  settled(): void {
    this.#working = Math.max(0, this.#working - 1);
    this.#look();
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // lets callers of the same turn join the first call
    while (this.#waiting.size > 0) {
      const batch = [...this.#waiting].slice(0, mostAtOnce);
      for (const waiting of batch) {
        this.#waiting.delete(waiting);
        waiting.turn.abort(waitOver);
      }
      const began = this.#modules.clock.now();
      await this.#call(batch);
      await this.#letOthersCome(began + longestRest);
    }
    this.#running = undefined;
  }

  /**
   * Waits until the earliest deadline in the batch. Without an answer, the claims that have time left go into the next
   * call.
   */
  async #call(batch: readonly Waiting[]): Promise<void> {
    const { link, failover, clock } = this.#modules;
    const timeout = milliseconds(Math.max(1, Math.min(...batch.map(({ deadline }) => deadline)) - clock.now()));
    const claims = batch.map(({ request }) => request);
    const sent = batch.some((waiting) => waiting.sent);
    try {
      const { outcomes, epoch } = await failover.run(timeout, (address, remaining, isRetry, signal) =>
        link.claimEndpoints(address, { claims }, { timeout: remaining, isRetry: isRetry || sent, signal }),
      );
      for (const [i, waiting] of batch.entries()) if (settle(waiting, outcomes[i], epoch)) this.#working++;
    } catch (error) {
      for (const waiting of batch) {
        waiting.sent = true;
        if (isFinal(error) || waiting.deadline <= clock.now()) waiting.reject(error);
        else this.#waiting.add(waiting);
      }
    }
  }

  async #letOthersCome(until: number): Promise<void> {
    const { clock } = this.#modules;
    const left = until - clock.now();
    if (this.#isEnough || left <= 0) return;
    this.#rest = new AbortController();
    await clock.sleep(milliseconds(left), this.#rest.signal);
    this.#rest = undefined;
  }

  get #isEnough(): boolean {
    return this.#waiting.size >= this.#working;
  }

  #look(): void {
    if (this.#isEnough) this.#rest?.abort(waitOver);
  }

  #giveUp(waiting: Waiting): void {
    if (this.#waiting.delete(waiting))
      waiting.reject(new CausewayError('timed-out', 'the managers did not answer earlier claims of this host in time'));
  }
}

/** Returns whether the endpoint was claimed. */
function settle({ resolve, reject }: Waiting, answer: ClaimOutcome | undefined, epoch: bigint): boolean {
  const outcome = answer?.outcome;
  if (outcome?.oneofKind === 'endpoint') {
    resolve({ endpoint: outcome.endpoint, epoch });
    return true;
  }
  if (outcome?.oneofKind === 'refused') reject(errorFromStatus(outcome.refused));
  else reject(new CausewayError('internal', 'a manager answered a claim without the endpoint'));
  return false;
}

/** Whether the error decides all claims of the call. Otherwise another call is worth a try. */
function isFinal(error: unknown): boolean {
  return !isCausewayError(error) || error.kind !== 'unavailable';
}
