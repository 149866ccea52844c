import type { NetworkId } from '@causeway/model';
import { maxVector } from '../wire/limits.ts';
import { encodeDigest } from '../wire/message.ts';
import type { Answers } from './answers.ts';
import type { Context } from './context.ts';

/** At rest: 16 bytes for each of up to 16 networks, to one peer. */
const restInterval = 1_000;
/** After news, what the trees have lost is found so soon. */
const newsInterval = 250;
const newsLasts = 5_000;
/** One digest in so many goes to any peer, whether or not the peer is known to keep the network. */
const strayIn = 4;

/** Sends digests: one network after the other leads the choice of the peer, so each is compared in its turn. */
export class Digests {
  readonly #context: Context;
  readonly #answers: Answers;
  #turn = 0;
  #newsAt = Number.NEGATIVE_INFINITY;
  #at: number;

  constructor(context: Context, answers: Answers) {
    this.#context = context;
    this.#answers = answers;
    this.#at = context.now + this.#jitter(newsInterval);
  }

  get nextWake(): number {
    return this.#at;
  }

  news(): void {
    const { now } = this.#context;
    this.#newsAt = now;
    this.#at = Math.min(this.#at, now + this.#jitter(newsInterval));
  }

  timer(): void {
    const { now } = this.#context;
    if (now < this.#at) return;
    this.#at = now + this.#jitter(now - this.#newsAt < newsLasts || this.#lacksTables() ? newsInterval : restInterval);
    this.#send();
  }

  #send(): void {
    const { tables, outbox } = this.#context;
    const networks = [...tables.keys()];
    const start = this.#turn++ % Math.max(1, networks.length);
    const turn = [...networks.slice(start), ...networks.slice(0, start)].slice(0, maxVector);
    const [first] = turn;
    const to = first && this.#peerFor(first);
    if (to === undefined) return;
    const digest = turn.flatMap((network) => {
      const table = tables.get(network);
      return table === undefined ? [] : [{ network, proof: this.#answers.proof(table) }];
    });
    outbox.send(to, 'digest', encodeDigest(digest));
  }

  #peerFor(network: NetworkId): string | undefined {
    const { peers, parts } = this.#context;
    const group = this.#context.group(network);
    // A table without rows does not say who else keeps it.
    const isEmpty = this.#context.tables.get(network)?.live.size === 0;
    const isStray = group.length === 0 || parts.random.float() < (isEmpty ? 1 / 2 : 1 / strayIn);
    const names = isStray ? [...peers.keys()] : group.map(({ name }) => name);
    return names[Math.floor(parts.random.float() * names.length)];
  }

  #lacksTables(): boolean {
    for (const { position } of this.#context.tables.values()) if (position === undefined) return true;
    return false;
  }

  /** Ticks of different hosts spread. */
  #jitter(interval: number): number {
    return interval * (0.8 + 0.4 * this.#context.parts.random.float());
  }
}
