import { type Clock, type Duration, seconds } from '@causeway/runtime';
import type { ViewChange } from './records/index.ts';

interface Sample {
  /** The newest revision of the sample. */
  upTo: bigint;
  /** When the first revision of the sample was seen, Unix ms; undefined: this manager did not see these revisions arrive. */
  readonly time: number | undefined;
}

export interface RevisionTimesSettings {
  /** Revisions that come within this span share a sample. */
  readonly span?: Duration;
  readonly mostSamples?: number;
}

/** Enough for a little more than a day with changes in every second; about 10 MB. */
const mostSamplesUnlessTold = 100_000;

/** When this manager saw each revision of the store, to the second. Revisions from before its start have no time. */
export class RevisionTimes {
  readonly #clock: Pick<Clock, 'wall'>;
  readonly #span: Duration;
  readonly #mostSamples: number;
  /** No time is known for the revisions up to this one. */
  #floor = 0n;
  /** Sorted by revision. Each begins where the one before ends. */
  readonly #samples: Sample[] = [];

  constructor(clock: Pick<Clock, 'wall'>, settings: RevisionTimesSettings = {}) {
    this.#clock = clock;
    this.#span = settings.span ?? seconds(1);
    this.#mostSamples = settings.mostSamples ?? mostSamplesUnlessTold;
  }

  /** To be subscribed to a view. */
  follow(changes: readonly ViewChange[]): void {
    const last = changes.at(-1);
    if (last === undefined) return;
    if (last.kind === 'reset') this.#passed(last.revision);
    else this.#saw(last.revision);
  }

  /** Unix time, ms, when the revision was seen; undefined: this manager did not see it arrive, or has dropped its time. */
  timeOf(revision: bigint): number | undefined {
    return revision <= this.#floor ? undefined : this.#samples[this.#placeOf(revision)]?.time;
  }

  #saw(revision: bigint): void {
    if (revision <= this.#newest) return;
    const now = Math.trunc(this.#clock.wall());
    const last = this.#samples.at(-1);
    if (last?.time !== undefined && now >= last.time && now < last.time + this.#span) last.upTo = revision;
    else this.#add({ upTo: revision, time: now });
  }

  /**
   * For a snapshot: the times of the revisions in between are unknown. An older revision means that the store was restored.
   */
  #passed(revision: bigint): void {
    if (this.#samples.length === 0 || revision < this.#newest) {
      this.#samples.length = 0;
      this.#floor = revision;
    } else if (revision > this.#newest) this.#add({ upTo: revision, time: undefined });
  }

  #add(sample: Sample): void {
    this.#samples.push(sample);
    if (this.#samples.length <= this.#mostSamples) return;
    this.#floor = this.#samples.shift()?.upTo ?? this.#floor;
  }

  get #newest(): bigint {
    return this.#samples.at(-1)?.upTo ?? this.#floor;
  }

  /** Index of the first sample that reaches the revision. */
  #placeOf(revision: bigint): number {
    let [low, high] = [0, this.#samples.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#samples[middle]?.upTo ?? 0n) < revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
