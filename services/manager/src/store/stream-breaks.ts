/**
 * How a stream broke that the store had accepted and that had not brought anything yet. "lost": its connection broke.
 * "stuck": the store answers and has a change that the stream should have brought, but the stream does not bring it.
 */
export type Break = 'lost' | 'stuck';

/** A connection usually breaks for reasons other than its content. A stream is usually stuck because of its content. */
const weights: Readonly<Record<Break, number>> = { lost: 1, stuck: 4 };
const limit = 8;

/**
 * Whether these breaks in a row mean that no stream can bring the next revision (because the revision is too large, for
 * example). A new list then goes past that revision.
 */
export function cannotBeDelivered(breaks: readonly Break[]): boolean {
  return breaks.reduce((sum, each) => sum + weights[each], 0) >= limit;
}
