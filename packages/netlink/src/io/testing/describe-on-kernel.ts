import { describe } from 'vitest';
import { enterThrowawayNetns } from './throwaway-netns.ts';

/** `describe` for tests of the real kernel. Where they cannot run, they are skipped with the reason. */
export function describeOnKernel(what: string, tests: () => void): void {
  const missing = enterThrowawayNetns();
  describe.skipIf(missing !== undefined)(missing === undefined ? what : `${what} (${missing})`, tests);
}
