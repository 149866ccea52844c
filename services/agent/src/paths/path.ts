import { Losses, Streak } from './losses.ts';
import { hearingOf, hurry, leastAnswered, patience, silence } from './rules.ts';
import { SizeSearch } from './size-search.ts';

/**
 * - unknown: no probe was answered yet, and too few were sent.
 * - up: packets of all sizes arrive and are answered.
 * - small-only: packets up to `largest` are answered, larger ones are not.
 * - not-heard: packets from the peer arrive, and it answers none of this host.
 * - hears-nothing: nothing arrives from the peer.
 */
export type PathState = 'unknown' | 'up' | 'small-only' | 'not-heard' | 'hears-nothing';

/** Packet sizes, bytes. The bytes of the IP header count. */
export interface Sizes {
  readonly small: number;
  /** The largest that the networks of both hosts send. */
  readonly full: number;
}

/** What one host knows of the way to another host and back. All times are those of one monotonic clock, ms. */
export class Path {
  #sizes: Sizes;
  #rest: number;
  #state: PathState = 'unknown';
  #since: number;
  #sentAt = Number.NEGATIVE_INFINITY;
  /** When the first probe may be sent. */
  readonly #firstAt: number;
  readonly #any = new Losses();
  readonly #full = new Losses();
  readonly #answers = new Streak();
  readonly #fullAnswers = new Streak();
  /** Probes since something was missing: what each of them is for follows from its number. */
  #turn = 0;
  #search: SizeSearch | undefined;
  #heardAt = Number.NEGATIVE_INFINITY;
  #peerInterval = 0;
  #rtt: number | undefined;

  /** `rest`: pause between two probes while answers come. `firstAt`: when the first one may be sent. */
  constructor(sizes: Sizes, rest: number, now: number, firstAt: number) {
    this.#sizes = sizes;
    this.#rest = rest;
    this.#since = now;
    this.#firstAt = firstAt;
  }

  get state(): PathState {
    return this.#state;
  }

  /** When the path came to be up, or not to be up. */
  get since(): number {
    return this.#since;
  }

  /** How long the last answer took, ms; undefined: none came since the path was last broken. */
  get rtt(): number | undefined {
    return this.#rtt;
  }

  /** Bytes of the largest packet that is known to pass; 0: none. */
  get largest(): number {
    if (this.#state === 'up') return this.#sizes.full;
    return this.#search?.largest ?? 0;
  }

  /** Pause between two probes while answers come. */
  get rest(): number {
    return this.#rest;
  }

  change(sizes: Sizes, rest: number): void {
    this.#rest = rest;
    if (sizes.full === this.#sizes.full && sizes.small === this.#sizes.small) return;
    this.#sizes = sizes;
    this.#full.reset();
    this.#fullAnswers.reset();
    if (this.#search !== undefined) this.#search = this.#newSearch();
  }

  /** When the next probe is due. */
  dueAt(): number {
    const { first } = this.#any;
    if (this.#sentAt === Number.NEGATIVE_INFINITY) return this.#firstAt;
    if (this.#isHurried) return this.#sentAt + hurry;
    if (first === undefined || this.#isSilent) return this.#sentAt + this.#rest;
    return Math.max(this.#sentAt + hurry, first + patience);
  }

  /** When `judge` may find something that it does not find now. */
  judgeAt(now: number): number {
    const firsts = [this.#any.first, this.#full.first].flatMap((first) => first ?? []);
    const moments = [...firsts.map((first) => first + silence), this.#heardAt + this.#hearing];
    return Math.min(...moments.filter((at) => at > now));
  }

  /** The size of a probe that is sent now. */
  send(now: number): number {
    const size = this.#nextSize();
    this.#sentAt = now;
    this.#any.sent(now);
    if (size === this.#sizes.full) this.#full.sent(now);
    return size;
  }

  /** A packet from the peer has arrived. `interval`: how often the peer asks, if the packet is a request. */
  heard(now: number, interval?: number): void {
    this.#heardAt = now;
    if (interval !== undefined) this.#peerInterval = interval;
  }

  /** The answer to a probe of this size has arrived. */
  answered(now: number, size: number, rtt: number): void {
    this.#rtt = rtt;
    this.#any.reset();
    const isBack = this.#answers.answered(now);
    if (size >= this.#sizes.full) {
      this.#full.reset();
      this.#fullAnswers.answered(now);
    } else if (isBack && this.#isSilent) {
      // What was lost while nothing passed says nothing of large packets.
      this.#full.reset();
    }
    this.#search?.answered(size);
    this.judge(now);
  }

  /** This process did not run for a while, so what is missing may be its own fault. */
  forgive(): void {
    this.#any.reset();
    this.#full.reset();
  }

  /** Returns whether the state is another one now. */
  judge(now: number): boolean {
    const state = this.#verdict(now);
    if (state === this.#state) return false;
    const isSilent = state === 'not-heard' || state === 'hears-nothing';
    if (!(isSilent && this.#isSilent)) this.#since = now;
    if (isSilent) {
      this.#rtt = undefined;
      this.#answers.reset();
      this.#fullAnswers.reset();
    }
    if (state === 'small-only') this.#fullAnswers.reset();
    this.#search = state === 'small-only' ? this.#newSearch() : undefined;
    this.#state = state;
    return true;
  }

  #verdict(now: number): PathState {
    if (this.#any.areMany(now)) return now - this.#heardAt >= this.#hearing ? 'hears-nothing' : 'not-heard';
    const fullAnswers = this.#fullAnswers.count;
    switch (this.#state) {
      case 'unknown':
      case 'up':
        if (this.#full.areMany(now)) return 'small-only';
        return fullAnswers > 0 ? 'up' : this.#state;
      case 'small-only':
        return fullAnswers >= leastAnswered ? 'up' : 'small-only';
      default:
        if (this.#answers.count < leastAnswered) return this.#state;
        if (fullAnswers > 0) return 'up';
        return this.#full.areMany(now) ? 'small-only' : this.#state;
    }
  }

  get #isSilent(): boolean {
    return this.#state === 'not-heard' || this.#state === 'hears-nothing';
  }

  get #hearing(): number {
    return hearingOf(this.#peerInterval);
  }

  /** A few more probes will decide something. */
  get #isHurried(): boolean {
    const { first } = this.#any;
    switch (this.#state) {
      case 'small-only':
        return this.#search?.isOver === false || (this.#fullAnswers.count > 0 && this.#isRecent(this.#full));
      case 'unknown':
      case 'up':
        return first === undefined && this.#full.first !== undefined;
      default:
        return this.#answers.count > 0 && this.#isRecent(this.#any);
    }
  }

  /** Whether the last probe was sent less than a silence after the last answer. */
  #isRecent({ first }: Losses): boolean {
    return first === undefined || this.#sentAt - first < silence;
  }

  /** While all is well, each probe is a full one, because its answer says that small ones pass, too. */
  #nextSize(): number {
    const { small, full } = this.#sizes;
    const isComplete = this.#any.first === undefined && this.#full.first === undefined;
    if (isComplete && (this.#state === 'up' || this.#state === 'unknown')) {
      this.#turn = 0;
      return full;
    }
    const turn = this.#turn++;
    if (this.#search === undefined || this.#search.isOver) return turn % 2 === 0 ? small : full;
    // Small ones go on during the search: they say whether anything passes.
    if (turn % 3 === 2) return this.#search.next();
    return turn % 3 === 0 ? small : full;
  }

  #newSearch(): SizeSearch {
    return new SizeSearch(this.#sizes.small, this.#sizes.full);
  }
}
