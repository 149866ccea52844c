/*
 * How often hosts probe, and when a path counts as broken. Times in milliseconds, rates in probes a second.
 *
 * A break of one path is known after at most `restOf(n)` + `silence` + `hurry`, where n is the number of paths that the host
 * probes: 4.25 s with up to 100, 5 s with 175, 13.25 s with 1,000.
 */

/** What a host with few paths waits between two probes of one path, while answers come. */
const rest = 1_000;
/** Probes that a host sends at rest, on all paths together: with more paths, each waits longer. */
const restRate = 100;
/** Probes that a host sends at most. What is over `restRate` is for paths whose answers are missing. */
export const sendRate = { burst: 8, perSecond: 200 };
/** Answers that a host gives one peer on one port. A peer asks at most every `hurry`. */
export const answerRate = { burst: 20, perSecond: 20 };
/** An answer that takes longer counts as missing for now: the next probe comes soon. */
export const patience = 500;
/** Between two probes of a path whose answers are missing, or have just come back. */
export const hurry = 250;
/** A path is broken after this time without an answer, and after `leastLost` probes. */
export const silence = 3_000;
export const leastLost = 3;
/** A path that was broken is up after this many answers, between which is no `silence`. */
export const leastAnswered = 2;
/** After a longer gap between two polls the process did not run, so its missing answers mean nothing. */
export const longestGap = 1_000;
/** Bytes. The search for the largest packet that passes ends when it is known this well. */
export const searchStep = 4;

/** Between two probes of a path whose answers come, when the host has this many paths. */
export function restOf(paths: number): number {
  return Math.max(rest, (paths * 1_000) / restRate);
}

/** How long ago a host that asks every `interval` may have been heard and still count as heard. */
export function hearingOf(interval: number): number {
  return Math.max(silence - patience, 1.5 * interval + 1_000);
}
