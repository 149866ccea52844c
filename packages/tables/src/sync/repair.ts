import type { NetworkId } from '@causeway/model';
import type { Random } from '@causeway/runtime';
import { comparePositions, isBehind, type Position } from '../wire/position.ts';

/** What to ask of a peer: the batches since a position, or a comparison of all buckets. */
export type Question = 'pull' | 'compare';

/** A datagram each way; a stream with a table. Each failure of a peer doubles its time, twice: the link may be slow. */
const patience: Readonly<Record<Question, number>> = { pull: 100, compare: 500 };
const mostDoublings = 2;

/**
 * After a failure a peer is left alone for this long, then twice as long, up to the longest, which is short: a partition makes every
 * peer fail, and its end has to be noticed. Failures count up to `mostFailures`.
 */
const firstPenalty = 100;
const longestPenalty = 800;
const mostFailures = 5;

interface Need {
  /** What peers said that they have. */
  readonly claims: Map<string, Position>;
  question: Question;
  /** How often the present question was put again. */
  repeats: number;
  asked:
    | { readonly peer: string; readonly question: Question; readonly request: bigint; readonly until: number }
    | undefined;
}

interface Trust {
  failures: number;
  until: number;
}

/** The question may overtake the answer to the peer's challenge. More than a few times, and the peer plays for time. */
const maxRepeats = 3;

const trusted: Readonly<Trust> = { failures: 0, until: 0 };

/** Decides whom to ask for what a table lacks. A peer that does not deliver what it claims to have is asked less and less. */
export class Repair {
  readonly #random: Random;
  readonly #needs = new Map<NetworkId, Need>();
  readonly #trust = new Map<string, Trust>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** The peer has this, or says so, and the table at `own` lacks it. */
  claimed(network: NetworkId, peer: string, position: Position, own: Position | undefined): void {
    if (!isBehind(own, position)) return;
    const need = this.#needs.get(network) ?? {
      claims: new Map(),
      question: own === undefined ? 'compare' : 'pull',
      repeats: 0,
      asked: undefined,
    };
    this.#needs.set(network, need);
    need.claims.set(peer, position);
  }

  /** The peer has no more than this. */
  disclaimed(network: NetworkId, peer: string): void {
    this.#needs.get(network)?.claims.delete(peer);
  }

  /** Batches do not help any more: the log of the peer is too short, or the table differs. */
  mustCompare(network: NetworkId): void {
    const need = this.#needs.get(network);
    if (need !== undefined) need.question = 'compare';
  }

  /** The table is there now. */
  reached(network: NetworkId, position: Position | undefined): void {
    const need = this.#needs.get(network);
    if (need === undefined) return;
    for (const [peer, claim] of need.claims) if (!isBehind(position, claim)) need.claims.delete(peer);
    if (need.claims.size === 0) this.#needs.delete(network);
  }

  /** The network of a question that was put to the peer, if this is its number. The question stays open for further answers. */
  asked(peer: string, request: bigint): { readonly network: NetworkId; readonly question: Question } | undefined {
    for (const [network, { asked }] of this.#needs)
      if (asked?.peer === peer && asked.request === request) return { network, question: asked.question };
    return undefined;
  }

  /** The peer has answered. `isGood`: the table went forward, so the peer may be believed the next time. */
  answered(network: NetworkId, peer: string, isGood: boolean, now: number): void {
    const need = this.#needs.get(network);
    if (need?.asked?.peer === peer) {
      need.asked = undefined;
      need.repeats = 0;
    }
    if (isGood) {
      this.#trust.delete(peer);
      if (need !== undefined) need.question = 'pull';
    } else this.#fail(peer, now, 2);
  }

  /** The log of the peer does not reach back to this table. */
  atFloor(network: NetworkId, peer: string): void {
    const need = this.#needs.get(network);
    if (need?.asked?.peer !== peer) return;
    need.asked = undefined;
    need.question = 'compare';
  }

  /** The peer did not know this host, and now does: what it was asked is asked again. */
  again(peer: string): void {
    for (const need of this.#needs.values()) {
      if (need.asked?.peer !== peer || need.repeats === maxRepeats) continue;
      need.asked = undefined;
      need.repeats++;
    }
  }

  /** What to ask now. `ask` puts the question, and returns its number. */
  next(now: number, ask: (network: NetworkId, peer: string, question: Question) => bigint): void {
    for (const [network, need] of this.#needs) {
      const waitsFor = need.asked !== undefined && now < need.asked.until ? need.asked : undefined;
      if (need.asked !== undefined && waitsFor === undefined) {
        // A datagram is easily lost, a stream is not.
        this.#fail(need.asked.peer, now, need.asked.question === 'pull' ? 1 : 2);
        need.asked = undefined;
        need.repeats = 0;
      }
      const peer = this.#choose(need, now);
      if (peer === undefined) continue;
      const { question } = need;
      const { failures } = this.#trust.get(peer) ?? trusted;
      // A question to a peer that has failed does not hold up a peer that has not.
      if (waitsFor !== undefined && (this.#trust.get(waitsFor.peer) ?? trusted).failures <= failures) continue;
      const until = now + patience[question] * 2 ** Math.min(failures, mostDoublings);
      need.asked = { peer, question, request: ask(network, peer, question), until };
    }
  }

  /** Infinity: never. */
  get nextWake(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { claims, asked } of this.#needs.values()) {
      if (asked !== undefined) next = Math.min(next, asked.until);
      else for (const peer of claims.keys()) next = Math.min(next, (this.#trust.get(peer) ?? trusted).until);
    }
    return next;
  }

  /** Only these peers are asked. */
  keep(peers: ReadonlySet<string>): void {
    for (const peer of this.#trust.keys()) if (!peers.has(peer)) this.#trust.delete(peer);
    for (const [network, { claims, asked }] of this.#needs) {
      for (const peer of claims.keys()) if (!peers.has(peer)) claims.delete(peer);
      if (claims.size === 0 && asked === undefined) this.#needs.delete(network);
    }
  }

  forget(network: NetworkId): void {
    this.#needs.delete(network);
  }

  /**
   * Among the peers that may be asked, those that have failed least, and of these one that claims the most. So a peer that claims more
   * than it delivers is asked after all others.
   */
  #choose({ claims }: Need, now: number): string | undefined {
    let best: { readonly names: string[]; readonly claim: Position; readonly failures: number } | undefined;
    for (const [name, claim] of claims) {
      const { failures, until } = this.#trust.get(name) ?? trusted;
      if (until > now) continue;
      const order = best === undefined ? -1 : failures - best.failures || comparePositions(best.claim, claim);
      if (order < 0) best = { names: [name], claim, failures };
      else if (order === 0) best?.names.push(name);
    }
    return best?.names[Math.floor(this.#random.float() * best.names.length)];
  }

  #fail(peer: string, now: number, weight: number): void {
    const trust = this.#trust.get(peer) ?? trusted;
    const failures = Math.min(mostFailures, trust.failures + weight);
    // One lost datagram is no reason to wait.
    const penalty = failures === 1 ? 0 : Math.min(longestPenalty, firstPenalty * 2 ** (failures - 2));
    this.#trust.set(peer, { failures, until: now + penalty });
  }
}
