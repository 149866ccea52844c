import type { SerfContext } from './context.ts';
import { encodeSerf, type Join, type Leave, type SerfState } from './message.ts';
import type { Outbox } from './outbox.ts';
import type { IntentVerdict, Roster } from './roster.ts';

/** Joins and leaves: those of this node, and the news of others. */
export class Intents {
  readonly #context: SerfContext;
  readonly #roster: Roster;
  readonly #outbox: Outbox;

  constructor(context: SerfContext, roster: Roster, outbox: Outbox) {
    this.#context = context;
    this.#roster = roster;
    this.#outbox = outbox;
  }

  /** A message came; other nodes get it if it is news. */
  received(message: Join | Leave): void {
    if (this.#take(message) === 'pass') this.#outbox.intent(encodeSerf(message), message.node);
  }

  /** A peer's table came. Nothing of it is passed on: its owner passes on what is news. */
  merge({ statusLTimes, leftMembers }: SerfState): void {
    const { name, isLeaving } = this.#context;
    const left = new Set(leftMembers);
    for (const node of left) {
      // The time of the leave is not part of the table, but it was after the last join. Where both nodes know the leave, the
      // time stays: else it would grow with every exchange. An unknown node is gone: if it comes, it comes back.
      const status = this.#roster.get(node)?.status;
      if (status === undefined || status === 'left') continue;
      this.#take({ type: 'leave', lTime: (statusLTimes.get(node) ?? 0) + 1, node, prune: false });
    }
    for (const [node, lTime] of statusLTimes) {
      const isNews = !left.has(node) && this.#take({ type: 'join', lTime, node }) === 'pass';
      // No other node announces joins of this one: a later time is that of a leave, and the peer may still expect this node to go.
      if (isNews && node === name && !isLeaving) this.announceJoin();
    }
  }

  /** This node is a member, later than anything that was said of it. */
  announceJoin(): void {
    const message: Join = { type: 'join', lTime: this.#context.clocks.status.next(), node: this.#context.name };
    this.#roster.joinIntent(message, this.#context.now);
    this.#outbox.intent(encodeSerf(message), message.node);
  }

  /** A node leaves. `then`: the news was sent, or could not be sent in time. */
  announceLeave(node: string, prune: boolean, then: (error: string | undefined) => void): void {
    const { clocks, settings, now, name } = this.#context;
    const message: Leave = { type: 'leave', lTime: clocks.status.next(), node, prune };
    this.#roster.leaveIntent(message, undefined, now);
    if (!this.#roster.withStatus('alive').some((each) => each.name !== name)) {
      then(undefined);
      return;
    }
    let isOver = false;
    const finish = (error: string | undefined): void => {
      if (!isOver) then(error);
      isOver = true;
      timer.isCancelled = true;
    };
    const timer = this.#context.after(settings.serf.broadcastTimeout, () => finish('timeout'));
    this.#outbox.intent(encodeSerf(message), node, () => finish(undefined));
  }

  #take(message: Join | Leave): IntentVerdict {
    const { clocks, isLeaving, name, now } = this.#context;
    clocks.status.witness(message.lTime);
    if (message.type === 'join') return this.#roster.joinIntent(message, now);
    const verdict = this.#roster.leaveIntent(message, isLeaving ? undefined : name, now);
    if (verdict === 'refute') this.announceJoin();
    return verdict;
  }
}
