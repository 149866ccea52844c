export { createKernel } from './kernel.ts';
export { NetnsLock } from './netns-lock.ts';
