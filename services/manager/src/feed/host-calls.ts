import type { Node } from '@causeway/model';

/** The part of a session that a question needs. */
export interface AskedSession {
  send(bytes: Uint8Array): void;
}

interface Pending<Answer> {
  readonly owner: object;
  readonly settle: (answer: Answer | undefined) => void;
}

/** Pending questions of one kind to hosts. A question ends by its answer, by the end of its session, or by the signal. */
export class HostCalls<Answer> {
  readonly #pending = new Map<bigint, Pending<Answer>>();
  #last = 0n;

  /**
   * Asks every host that has a session, all at once. `encode` makes the question with a number. undefined: the host gave no usable
   * answer.
   */
  async askAll(
    nodes: readonly Node[],
    sessionOf: (node: Node) => AskedSession | undefined,
    encode: (call: bigint) => Uint8Array,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<Node, Answer | undefined>> {
    const calls: bigint[] = [];
    const ask = async (node: Node): Promise<readonly [Node, Answer | undefined]> => {
      const session = sessionOf(node);
      if (session === undefined || signal.aborted) return [node, undefined];
      const call = ++this.#last;
      calls.push(call);
      return [node, await this.#ask(call, session, encode(call))];
    };
    const giveUp = (): void => {
      for (const call of calls) this.#pending.get(call)?.settle(undefined);
    };
    // One listener for all hosts: Node takes more than ten listeners at one signal for a leak.
    signal.addEventListener('abort', giveUp);
    try {
      return new Map(await Promise.all(nodes.map(ask)));
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  /** Accepts an answer only from the session that was asked. Late answers and those of other sessions are dropped. */
  answer(owner: object, call: bigint, answer: Answer | undefined): void {
    const pending = this.#pending.get(call);
    if (pending?.owner === owner) pending.settle(answer);
  }

  sessionEnded(owner: object): void {
    for (const pending of [...this.#pending.values()]) if (pending.owner === owner) pending.settle(undefined);
  }

  #ask(call: bigint, session: AskedSession, question: Uint8Array): Promise<Answer | undefined> {
    return new Promise((resolve) => {
      const settle = (answer: Answer | undefined): void => {
        this.#pending.delete(call);
        resolve(answer);
      };
      this.#pending.set(call, { owner: session, settle });
      session.send(question);
    });
  }
}
