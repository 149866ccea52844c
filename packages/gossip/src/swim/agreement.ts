import { type Bytes, equalBytes } from '../wire/bytes.ts';
import type { Context } from './context.ts';
import type { Member } from './member.ts';
import type { Membership } from './membership.ts';
import { pushPullDelay } from './profile.ts';

/** Nodes that see a difference at the same time do not all exchange at the same time. */
const jitter = 200;
/** A node exchanges for this reason at most so often, in a cluster of up to 32 nodes; then half as often, and so on. */
const shortestWait = 1000;

/**
 * Repairs what gossip lost. Pings and acks say how their sender sees the cluster; where two nodes see it differently and no
 * news flows that would explain it, they exchange all they know, instead of up to a minute later.
 */
export class Agreement {
  readonly #context: Context;
  readonly #membership: Membership;
  readonly #exchange: (peer: Member) => void;
  #isArmed = false;
  #wait = shortestWait;
  #notBefore = 0;

  constructor(context: Context, membership: Membership, exchange: (peer: Member) => void) {
    this.#context = context;
    this.#membership = membership;
    this.#exchange = exchange;
  }

  compare(peer: Member, view: Bytes): void {
    peer.isKin = true;
    const mine = this.#membership.view;
    if (equalBytes(mine, view)) this.#wait = shortestWait;
    else if (!this.#isArmed && this.#context.now >= this.#notBefore) {
      this.#isArmed = true;
      this.#context.after(this.#context.random.float() * jitter, () => this.#repair(peer, mine));
    }
  }

  #repair(peer: Member, before: Bytes): void {
    this.#isArmed = false;
    // News has come meanwhile, so more may be under way: the next ping compares again.
    if (peer.state !== 'alive' || !equalBytes(this.#membership.view, before)) return;
    const { pushPullInterval } = this.#context.settings.profile;
    this.#notBefore = this.#context.now + pushPullDelay(this.#wait, this.#membership.size);
    // A difference that an exchange does not end is one of facts: this node reaches whom the other does not.
    this.#wait = Math.min(2 * this.#wait, pushPullInterval);
    this.#exchange(peer);
  }
}
