import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/**
 * A large table that arrives leaves twice its own size of garbage. V8 would keep this garbage while nothing else happens:
 * it collects when the heap has grown fourfold, and lets the young generation grow to 32 MiB. Measured with 20,000 peers:
 * 171 to 184 MiB resident with V8's own rules, 92 to 113 MiB with these, for 0.1 to 0.5 s of processor time while the
 * peers arrive.
 */
const growingPercent = 40;
/**
 * Bytes. Above this, the young generation grows no more. An idle process shrinks it to 1 MiB, of which two attaches fill a
 * half: if it stayed so small, its collections would take a tenth of an attach's processor time.
 */
const youngAtMost = 8 << 20;

/**
 * Uses more processor time and less memory, because the host needs its memory for other things. Applies to this process
 * from now on.
 */
export function keepHeapSmall(): void {
  setFlagsFromString(`--heap-growing-percent=${growingPercent}`);
  let mayGrow: boolean | undefined;
  const follow = (): void => {
    const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space');
    const may = (young?.space_size ?? 0) < youngAtMost;
    if (may !== mayGrow) setFlagsFromString(`--semi-space-growth-factor=${may ? 2 : 1}`);
    mayGrow = may;
  };
  follow();
  new PerformanceObserver(follow).observe({ entryTypes: ['gc'] });
}
