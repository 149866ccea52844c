export { createKernel } from './kernel.ts';
export { NetnsLock } from './netns-lock.ts';
export { PortHolder } from './port-holder.ts';
