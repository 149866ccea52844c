import type { Address } from '../swim/member.ts';
import { utf8 } from '../wire/bytes.ts';
import type { SerfContext } from './context.ts';
import type { QueryAnswer } from './effect.ts';
import { conflictQuery } from './internal-query.ts';
import type { Queries } from './queries.ts';
import { NameVote } from './tally.ts';

/** Another node has this node's name: the cluster decides whose name it is. */
export class NameDispute {
  readonly #context: SerfContext;
  readonly #queries: Queries;
  #isOpen = false;

  constructor(context: SerfContext, queries: Queries) {
    this.#context = context;
    this.#queries = queries;
  }

  /** Asks every node where this node is, as far as that node knows. `address`: where this node is. */
  begin(address: Address): void {
    const { name, isLeaving } = this.#context;
    if (this.#isOpen || isLeaving) return;
    this.#isOpen = true;
    const vote = new NameVote(name, address);
    const asker = {
      answer: (answer: QueryAnswer): void => {
        if (answer.type === 'response') vote.add(answer.payload);
      },
      done: (): void => {
        this.#isOpen = false;
        if (!vote.isWon) this.#context.event({ type: 'nameLost', name });
      },
    };
    this.#queries.ask(conflictQuery, utf8(name), {}, asker);
  }
}
