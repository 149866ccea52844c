/** Milliseconds on CLOCK_MONOTONIC: the same in every process of this machine, so journals of several can be compared. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
