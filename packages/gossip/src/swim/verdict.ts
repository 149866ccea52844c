import { equalBytes } from '../wire/bytes.ts';
import type { Alive, Dead, Suspect } from '../wire/message.ts';
import { isGone, type Member } from './member.ts';

// Which of two claims about a node holds: what this node knows, or what a message says. These are memberlist's rules; every
// node has to apply the same, or views would never agree.

/** What this node is to the claim. */
export interface Judge {
  readonly name: string;
  readonly isLeaving: boolean;
  readonly now: number;
  /** 0: never. */
  readonly deadNodeReclaim: number;
}

export type AliveVerdict = 'ignore' | 'add' | 'take' | 'conflict' | 'refute';

export function judgeAlive(known: Member | undefined, claim: Alive, judge: Judge): AliveVerdict {
  if (known === undefined) return 'add';
  const isMe = claim.node === judge.name;
  if (isMe && judge.isLeaving) return 'ignore';
  const hasMoved = known.port !== claim.port || !equalBytes(known.addr, claim.addr);
  if (hasMoved && !isNameFree(known, judge)) return 'conflict';
  if (isMe) {
    if (claim.incarnation < known.incarnation) return 'ignore';
    const isEcho =
      claim.incarnation === known.incarnation && equalBytes(claim.meta, known.meta) && equalBytes(claim.vsn, known.vsn);
    return isEcho ? 'ignore' : 'refute';
  }
  return claim.incarnation > known.incarnation || hasMoved ? 'take' : 'ignore';
}

/** Whether another address may take the name. */
function isNameFree({ state, since }: Member, { deadNodeReclaim, now }: Judge): boolean {
  return state === 'left' || (state === 'dead' && deadNodeReclaim > 0 && now - since > deadNodeReclaim);
}

export type SuspectVerdict = 'ignore' | 'confirm' | 'suspect' | 'refute';

export function judgeSuspect(known: Member | undefined, claim: Suspect, { name }: Judge): SuspectVerdict {
  if (known === undefined || claim.incarnation < known.incarnation) return 'ignore';
  if (known.state === 'suspect') return 'confirm';
  if (known.state !== 'alive') return 'ignore';
  return known.name === name ? 'refute' : 'suspect';
}

export type DeadVerdict = 'ignore' | 'dead' | 'left' | 'refute';

export function judgeDead(known: Member | undefined, claim: Dead, { name, isLeaving }: Judge): DeadVerdict {
  if (known === undefined || claim.incarnation < known.incarnation || isGone(known)) return 'ignore';
  if (known.name === name && !isLeaving) return 'refute';
  // Only a node itself can say that it leaves; all others can only say that it is dead.
  return claim.node === claim.from ? 'left' : 'dead';
}
