export { createKernel } from './kernel.ts';
export { KernelError } from './libc.ts';
export { Monitor, type MonitorSettings } from './monitor.ts';
export { createNetns, deleteNetns, identifyNetns, inNetns, openNetns } from './netns.ts';
export { NetnsLock } from './netns-lock.ts';
export { chunkSize, type Failure, NetlinkSocket } from './socket.ts';
