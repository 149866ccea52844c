import type { Event } from '@causeway/proto/gen/causeway/v1/types.js';
import type { Clock } from '@causeway/runtime';
import type { Happening } from './happening.ts';

/** Kept for who asks later; at about 300 bytes each that is 3 MB. */
export const keptEvents = 10_000;

/** A happening with the store revision that caused it, if one did. */
export interface Occurrence extends Happening {
  readonly revision?: bigint;
}

/** The newest events of this manager, in order, each with a sequence number that starts at 1 and has no gaps. */
export class EventLog {
  readonly #clock: Clock;
  readonly #kept: number;
  /** Event n is at n modulo the length. */
  readonly #ring: Event[] = [];
  #last = 0n;
  readonly #waiting = new Set<() => void>();

  constructor(modules: { readonly clock: Clock }, settings: { readonly kept: number } = { kept: keptEvents }) {
    this.#clock = modules.clock;
    this.#kept = settings.kept;
  }

  publish(occurrence: Occurrence): void {
    const { kind, revision = 0n, network = '', endpoint = '', host = '', message } = occurrence;
    const unknown = { actor: '', cause: '', addresses: [], networkId: '', endpointId: '', count: 1 };
    const sequence = ++this.#last;
    const timeMs = BigInt(Math.trunc(this.#clock.wall()));
    this.#ring[this.#slot(sequence)] = {
      ...unknown,
      sequence,
      revision,
      timeMs,
      kind,
      network,
      endpoint,
      host,
      message,
    };
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }

  /**
   * Events from that sequence on, or from the oldest kept when it is not there any more or never was. With `follow` it
   * goes on until the signal aborts. A reader slower than the events loses the oldest: sequence numbers show the gap.
   */
  async *read(from: bigint, follow: boolean, signal: AbortSignal): AsyncGenerator<Event, void> {
    let next = from > this.#last + 1n ? 0n : from;
    while (!signal.aborted) {
      if (next < this.#oldest) next = this.#oldest;
      const event = next <= this.#last ? this.#ring[this.#slot(next)] : undefined;
      if (event !== undefined) {
        next++;
        yield event;
      } else if (follow) {
        await this.#published(signal);
      } else {
        return;
      }
    }
  }

  get #oldest(): bigint {
    const oldest = this.#last - BigInt(this.#kept) + 1n;
    return oldest > 1n ? oldest : 1n;
  }

  #slot(sequence: bigint): number {
    return Number(sequence % BigInt(this.#kept));
  }

  #published(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake);
    });
  }
}
