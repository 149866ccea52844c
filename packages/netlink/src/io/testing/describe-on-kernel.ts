import { describe } from 'vitest';
import { enterThrowawayHome } from './throwaway-home.ts';

/** `describe` for tests of the real kernel: skipped, with the reason, where they can't be run. */
export function describeOnKernel(what: string, tests: () => void): void {
  const missing = enterThrowawayHome();
  describe.skipIf(missing !== undefined)(missing === undefined ? what : `${what} (${missing})`, tests);
}
