/** What tests on the real kernel need: a namespace of their own to live in. */

export { describeOnKernel } from './describe-on-kernel.ts';
export {
  bindMount,
  enterThrowawayDirectory,
  enterThrowawayHome,
  execIn,
  ip,
  throwawayAddress,
} from './throwaway-home.ts';
