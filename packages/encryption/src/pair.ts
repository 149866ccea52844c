/** The key of a pair, one way: with which generation of the sender's key, and which of the receiver's. */
export interface Pair {
  readonly sender: number;
  readonly receiver: number;
}

/** How many generations of a node's key may exist at a time, in its kernel and elsewhere. */
export const mostGenerations = 3;

/** An SPI has four bits for a generation. */
const wrap = 16;

/** Whether two generations may exist at the same time: their SPIs must differ. */
export function areDistinct(oldest: number, newest: number): boolean {
  return newest - oldest < wrap;
}

/**
 * Four bits of the sender's generation, four of the receiver's, and the sender's index. All SAs that a host receives with have
 * its own address, so this is unique there.
 */
export function spiOf({ sender, receiver }: Pair, senderIndex: number): number {
  return (((sender % wrap) << 28) | ((receiver % wrap) << 24) | senderIndex) >>> 0;
}

export function samePair(a: Pair | undefined, b: Pair | undefined): boolean {
  return a?.sender === b?.sender && a?.receiver === b?.receiver;
}

export function hasPair(pairs: readonly Pair[], wanted: Pair): boolean {
  return pairs.some((each) => samePair(each, wanted));
}
