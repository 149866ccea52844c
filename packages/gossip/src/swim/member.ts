import type { Bytes } from '../wire/bytes.ts';
import type { State } from '../wire/push-pull.ts';
import type { Suspicion } from './suspicion.ts';
import type { Timer } from './timers.ts';

/** Where a node receives: 4 or 16 bytes, and the port of both UDP and TCP. */
export interface Address {
  readonly addr: Bytes;
  readonly port: number;
}

/** What is known of a node, for readers. */
export interface MemberInfo extends Address {
  readonly name: string;
  readonly meta: Bytes;
  readonly incarnation: number;
  readonly state: State;
  /** `Vsn` of Go: 6 bytes. */
  readonly vsn: Bytes;
}

/** The record of a node. Only `Membership` writes it. */
export interface Member extends MemberInfo {
  addr: Bytes;
  port: number;
  meta: Bytes;
  incarnation: number;
  state: State;
  vsn: Bytes;
  /** When `state` changed. */
  since: number;
  /** The place on the ring. */
  readonly hash: number;
  /** The node runs this package: its pings or acks say how it sees the cluster. */
  isKin: boolean;
  /** While `state` is suspect. */
  suspicion: { readonly of: Suspicion; timer: Timer } | undefined;
  /** When it was dead and came back, lately. */
  revivals: readonly number[];
  /** Until then, no quick verdict about the node. */
  slowUntil: number;
}

export function infoOf({ name, addr, port, meta, incarnation, state, vsn }: MemberInfo): MemberInfo {
  return { name, addr, port, meta, incarnation, state, vsn };
}

export function isGone({ state }: { readonly state: State }): boolean {
  return state === 'dead' || state === 'left';
}
