import type { Node } from '@causeway/model';
import type { VerifyResult } from '@causeway/proto/gen/causeway/v1/session_service.js';
import type { Drift } from '@causeway/proto/gen/causeway/v1/types.js';
import { encodeVerify } from './encode.ts';

interface PendingCall {
  readonly owner: object;
  readonly settle: (drift: readonly Drift[] | undefined) => void;
}

/** The part of a session that a question needs. */
export interface VerifySession {
  send(bytes: Uint8Array): void;
}

/** Pending questions to hosts. A call ends by its answer, by the end of its session, or by the signal. */
export class VerifyCalls {
  readonly #pending = new Map<bigint, PendingCall>();
  #last = 0n;

  /** Asks every host that has a session, all at once. */
  async askAll(
    nodes: readonly Node[],
    sessionOf: (node: Node) => VerifySession | undefined,
    repair: boolean,
    signal: AbortSignal,
  ): Promise<VerifyOutcome> {
    const calls: bigint[] = [];
    const ask = async (node: Node): Promise<readonly [string, readonly Drift[] | undefined]> => {
      const session = sessionOf(node);
      if (session === undefined || signal.aborted) return [node.name, undefined];
      const call = ++this.#last;
      calls.push(call);
      return [node.name, await this.#ask(call, session, encodeVerify(call, repair))];
    };
    const giveUp = (): void => {
      for (const call of calls) this.#pending.get(call)?.settle(undefined);
    };
    // One listener for all hosts: Node takes more than ten listeners at one signal for a leak.
    signal.addEventListener('abort', giveUp);
    try {
      return outcomeOf(new Map(await Promise.all(nodes.map(ask))));
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  /** Accepts an answer only from the session that was asked. Late answers and those of other sessions are dropped. */
  answer(owner: object, result: VerifyResult): void {
    const pending = this.#pending.get(result.call);
    if (pending?.owner === owner) pending.settle(result.error === '' ? result.drift : undefined);
  }

  sessionEnded(owner: object): void {
    for (const pending of [...this.#pending.values()]) if (pending.owner === owner) pending.settle(undefined);
  }

  /** Resolves to what the host found, or undefined when it gave no usable answer. */
  #ask(call: bigint, session: VerifySession, question: Uint8Array): Promise<readonly Drift[] | undefined> {
    return new Promise((resolve) => {
      const settle = (drift: readonly Drift[] | undefined): void => {
        this.#pending.delete(call);
        resolve(drift);
      };
      this.#pending.set(call, { owner: session, settle });
      session.send(question);
    });
  }
}

/** Outcome of a verify call to several hosts. */
export interface VerifyOutcome {
  readonly drift: readonly Drift[];
  /** Names of hosts that answered, sorted. */
  readonly checked: readonly string[];
  /** Names of hosts that could not be asked or did not answer in time, sorted. */
  readonly unreachable: readonly string[];
}

export function outcomeOf(answers: ReadonlyMap<string, readonly Drift[] | undefined>): VerifyOutcome {
  const hosts = [...answers.keys()].sort();
  const answered = (host: string): boolean => answers.get(host) !== undefined;
  return {
    // The manager sets `host`: a host can report only its own drift.
    drift: hosts.flatMap((host) => (answers.get(host) ?? []).map((drift) => ({ ...drift, host }))),
    checked: hosts.filter(answered),
    unreachable: hosts.filter((host) => !answered(host)),
  };
}
