import type { Bytes } from '../wire/bytes.ts';
import type { Address, MemberInfo } from './member.ts';

/** Chosen by the side that opens the stream: even numbers by the core, odd numbers by the host of the core. */
export type StreamId = number;

/** What the core is given. `command` returns in the `settled` effect. */
export type Input =
  | { readonly type: 'start' }
  /** Time has passed: give this when `nextWake` has come. Late is harmless, early does nothing. */
  | { readonly type: 'timer' }
  | { readonly type: 'datagram'; readonly from: Address; readonly bytes: Bytes }
  | { readonly type: 'accepted'; readonly stream: StreamId; readonly from: Address }
  | { readonly type: 'received'; readonly stream: StreamId; readonly bytes: Bytes }
  /** All bytes of a `connect` were handed to the network. */
  | { readonly type: 'sent'; readonly stream: StreamId }
  | { readonly type: 'closed'; readonly stream: StreamId; readonly why: string }
  | { readonly type: 'join'; readonly command: number; readonly to: Address }
  | { readonly type: 'leave'; readonly command: number; readonly timeout: number }
  | { readonly type: 'updateMeta'; readonly command: number; readonly meta: Bytes; readonly timeout: number }
  | { readonly type: 'sendReliable'; readonly command: number; readonly to: Address; readonly payload: Bytes }
  | { readonly type: 'sendBestEffort'; readonly to: Address; readonly payload: Bytes }
  /** A node is no member any more, by what the application knows: it counts as left at once. */
  | { readonly type: 'evict'; readonly name: string }
  /** The delegate has broadcasts that need not wait for the next interval. */
  | { readonly type: 'spread' };

/** What happens without a command. */
export type NetworkInput = Extract<
  Input,
  { readonly type: 'start' | 'timer' | 'datagram' | 'accepted' | 'received' | 'sent' | 'closed' }
>;

/** What the host of the core has to do, in this order. */
export type Effect =
  | { readonly type: 'datagram'; readonly to: Address; readonly bytes: Bytes }
  /** Open a stream and send the bytes; the stream stays open. */
  | { readonly type: 'connect'; readonly stream: StreamId; readonly to: Address; readonly bytes: Bytes }
  /** Send the bytes, then end this side of the stream. */
  | { readonly type: 'reply'; readonly stream: StreamId; readonly bytes: Bytes }
  /** Give up the stream. No `closed` follows. */
  | { readonly type: 'close'; readonly stream: StreamId }
  | { readonly type: 'event'; readonly event: MemberlistEvent }
  /** A command is done; `error` says why it failed. */
  | { readonly type: 'settled'; readonly command: number; readonly error: string | undefined };

export type MemberlistEvent =
  /** A node is alive that was unknown, dead or gone. */
  | { readonly type: 'join'; readonly member: MemberInfo }
  /** The meta of a node changed. */
  | { readonly type: 'update'; readonly member: MemberInfo }
  /** A node does not answer. It may still refute. */
  | { readonly type: 'suspect'; readonly member: MemberInfo }
  /** A suspected node is alive. */
  | { readonly type: 'refuted'; readonly member: MemberInfo }
  /** `member.state`: `left` by its own will, or `dead`. */
  | { readonly type: 'leave'; readonly member: MemberInfo }
  /** Two addresses have one name; the first keeps it. */
  | { readonly type: 'conflict'; readonly member: MemberInfo; readonly other: Address }
  /** A node answers by TCP and not by UDP: something between the nodes drops datagrams. */
  | { readonly type: 'udpBlocked'; readonly member: MemberInfo }
  /** No process listens at the TCP port of a node that does not answer. */
  | { readonly type: 'refused'; readonly member: MemberInfo }
  /** This process did not run for so many milliseconds, and judges no node by what it missed. */
  | { readonly type: 'stalled'; readonly span: number }
  /** An exchange with a node failed; `why` is for people. */
  | { readonly type: 'exchangeFailed'; readonly with: Address; readonly why: string }
  | { readonly type: 'message'; readonly from: Address; readonly payload: Bytes; readonly isReliable: boolean };
