export { describeOnKernel } from './describe-on-kernel.ts';
export { enterThrowawayDirectory } from './real-host.ts';
