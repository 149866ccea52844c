/** Tools for tests on the real kernel: a network namespace of their own. */

export { describeOnKernel } from './describe-on-kernel.ts';
export {
  bindMount,
  enterThrowawayDirectory,
  enterThrowawayNetns,
  execIn,
  ip,
  throwawayAddress,
} from './throwaway-netns.ts';
