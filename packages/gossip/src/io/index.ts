export {
  BroadcastQueue,
  type Delegate,
  fast,
  lan,
  local,
  type Profile,
  profiles,
  transmitLimit,
  wan,
} from '../swim/index.ts';
export { Keyring, type NodeState, type State, type VersionRange } from '../wire/index.ts';
export { AesGcm } from './aes-gcm.ts';
export type { Overflow } from './event-stream.ts';
export { MemberlistError } from './host.ts';
export { createMemberlist, type Memberlist } from './memberlist.ts';
export type { MemberlistOptions } from './options.ts';
export type { Node, NodeAddress, NodeEvent } from './readable.ts';
