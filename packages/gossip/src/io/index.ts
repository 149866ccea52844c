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
export type { Overflow } from './event-stream.ts';
export {
  createMemberlist,
  type Memberlist,
  MemberlistError,
  type Node,
  type NodeAddress,
  type NodeEvent,
} from './memberlist.ts';
export type { MemberlistOptions } from './options.ts';
