export type { Random } from '../random.ts';
export { BroadcastQueue } from './broadcast-queue.ts';
export type { Settings } from './context.ts';
export { Core } from './core.ts';
export type { Delegate } from './delegate.ts';
export type { Effect, Input, MemberlistEvent, StreamId } from './effect.ts';
export type { Address, MemberInfo } from './member.ts';
export { fast, lan, local, type Profile, profiles, transmitLimit, wan } from './profile.ts';
