/**
 * How a stream broke that had been accepted and had not brought anything yet. "lost": its connection went. "stuck": the
 * store answers, has something that the stream should have brought, and the stream does not bring it.
 */
export type Break = 'lost' | 'stuck';

/** A connection that breaks mostly has nothing to do with what it carries; a stream that is stuck mostly does. */
const weights: Readonly<Record<Break, number>> = { lost: 1, stuck: 4 };
const bearable = 8;

/** Whether these breaks in a row mean that the next revision cannot be had by a stream at all (it is too large, say): list again, which goes past it. */
export function isObstacle(breaks: readonly Break[]): boolean {
  return breaks.reduce((sum, each) => sum + weights[each], 0) >= bearable;
}
