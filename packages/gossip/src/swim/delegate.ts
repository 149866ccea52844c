import type { Bytes } from '../wire/bytes.ts';
import type { NodeState } from '../wire/push-pull.ts';
import type { MemberInfo } from './member.ts';

/** What an application adds. Each method is called while the core takes a step, so none may wait. */
export interface Delegate {
  /** Whether anything is read of what comes from this address. Absent: it is, from every address. */
  admits?(addr: Bytes): boolean;
  /** Payloads for a packet that has room for `room` bytes. Each takes its length and `overhead` bytes more. */
  broadcasts?(room: number, overhead: number): readonly Bytes[];
  /** The application's state, which the other end of an exchange gets. */
  localState?(isJoin: boolean): Bytes;
  /** The state of the other end. */
  mergeRemoteState?(state: Bytes, isJoin: boolean): void;
  /** Whether an exchange by which a node joins is refused, and why. Nothing of a refused exchange is taken. */
  refuseMerge?(nodes: readonly NodeState[]): string | undefined;
  /** Whether what a message says about a live node is ignored. */
  ignoreAlive?(node: Omit<NodeState, 'state'>): boolean;
  /** Payload of each ack. */
  ackPayload?(): Bytes;
  /** A probe was answered directly. `roundTrip` in milliseconds. */
  pingCompleted?(member: MemberInfo, roundTrip: number, payload: Bytes): void;
}
