/**
 * Long work on values that pauses now and then, so that its caller can give other work a turn. The values must not change
 * until the work ends.
 */
export type Sliced<Result> = Generator<undefined, Result>;

/** Objects compared or made between two pauses: about a tenth of a millisecond. */
export const sliceSize = 256;

/** Runs it without a pause. */
export function finish<Result>(work: Sliced<Result>): Result {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}
