/**
 * Work on values that may take long: it pauses every now and then, so that who runs it can let others have a turn. What it
 * works on must not change before its end.
 */
export type Sliced<Result> = Generator<undefined, Result>;

/** Things compared or made between two pauses: about a tenth of a millisecond. */
export const sliceSize = 256;

/** Runs it without a pause. */
export function finish<Result>(work: Sliced<Result>): Result {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}
