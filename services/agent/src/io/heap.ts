import { setFlagsFromString } from 'node:v8';

/**
 * A large table that arrives leaves twice its own size of garbage. V8 would keep this garbage while nothing else happens:
 * it collects when the heap has grown fourfold, and lets the young generation grow to 32 MiB. Measured with 20,000 peers:
 * 171 to 184 MiB resident without these flags, 92 to 113 MiB with them, for 0.1 to 0.5 s of processor time while the
 * peers arrive.
 */
const flags = ['--heap-growing-percent=40', '--semi-space-growth-factor=1'];

/**
 * Uses more processor time and less memory, because the host needs its memory for other things. Applies to this process
 * from now on.
 */
export function keepHeapSmall(): void {
  for (const flag of flags) setFlagsFromString(flag);
}
