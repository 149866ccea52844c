import type { Bytes } from '../wire/bytes.ts';

/** Datagrams of one source: so many at once, and so many per second. A node at rest gets two per second from all nodes together. */
const sourceBurst = 500;
const sourceRate = 2000;
/** Datagrams of all sources: about what one core can open and read. */
const totalBurst = 5000;
const totalRate = 20_000;
/** So many datagrams or streams in `failureSpan` that no key opens: nothing of the source is read for as long again. */
const failureLimit = 10;
const failureSpan = 1000;
/** So many sources are known apart; a source beyond takes the place of the one that was heard first. */
const maxSources = 4096;

interface Source {
  tokens: number;
  at: number;
  failures: number;
  firstFailure: number;
  shutUntil: number;
}

/** Decides before anything is read whether a datagram is read at all, so that a flood costs little. */
export class Gate {
  readonly #sources = new Map<string, Source>();
  #total: Pick<Source, 'tokens' | 'at'> = { tokens: totalBurst, at: 0 };

  admits(addr: Bytes, now: number): boolean {
    const source = this.#source(addr, now);
    if (now < source.shutUntil) return false;
    return take(source, sourceBurst, sourceRate, now) && take(this.#total, totalBurst, totalRate, now);
  }

  /** Whether the source is shut out because no key opened what it sent. */
  isShut(addr: Bytes, now: number): boolean {
    return now < (this.#sources.get(keyOf(addr))?.shutUntil ?? 0);
  }

  /** What the source sent could not be opened. */
  failed(addr: Bytes, now: number): void {
    const source = this.#source(addr, now);
    if (now - source.firstFailure > failureSpan) Object.assign(source, { failures: 0, firstFailure: now });
    source.failures++;
    if (source.failures >= failureLimit) source.shutUntil = now + failureSpan;
  }

  #source(addr: Bytes, now: number): Source {
    const key = keyOf(addr);
    const known = this.#sources.get(key);
    if (known !== undefined) return known;
    const source = { tokens: sourceBurst, at: now, failures: 0, firstFailure: now, shutUntil: 0 };
    this.#sources.set(key, source);
    const [first] = this.#sources.keys();
    if (this.#sources.size > maxSources && first !== undefined) this.#sources.delete(first);
    return source;
  }
}

function take(bucket: Pick<Source, 'tokens' | 'at'>, burst: number, perSecond: number, now: number): boolean {
  bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) * perSecond) / 1000);
  bucket.at = now;
  if (bucket.tokens < 1) return false;
  bucket.tokens--;
  return true;
}

function keyOf(addr: Bytes): string {
  return String.fromCharCode(...addr);
}
