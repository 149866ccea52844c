import { describe } from 'vitest';
import { enterThrowawayHome } from './throwaway-home.ts';

/** `describe` for tests of the real kernel. Where they cannot run, they are skipped with the reason. */
export function describeOnKernel(what: string, tests: () => void): void {
  const missing = enterThrowawayHome();
  describe.skipIf(missing !== undefined)(missing === undefined ? what : `${what} (${missing})`, tests);
}
