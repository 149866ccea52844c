import type { EndpointId, ErrorCode, EventKind, Ip, NetworkId } from '@causeway/model';

/** An event before it is recorded. It has names for people, and ids and addresses for look-ups. */
export interface EventInput {
  readonly kind: EventKind;
  readonly network?: string;
  readonly networkId?: NetworkId;
  readonly endpoint?: string;
  readonly endpointId?: EndpointId;
  readonly host?: string;
  readonly addresses?: readonly Ip[];
  /** The purpose of a reservation. */
  readonly purpose?: string;
  /** How many occurrences this event stands for; absent: one. */
  readonly count?: number;
  readonly message: string;
  /** Code of a refusal; absent: the call was carried out. */
  readonly refusal?: string;
  /** The object that a refused call names; absent: none. */
  readonly object?: string;
  /** Only if they differ from those of the write that the event is recorded with. */
  readonly subject?: string;
  readonly method?: string;
  /** Only if it differs from the actor of the write that the event is recorded with. The same holds for `cause`. */
  readonly actor?: string;
  readonly cause?: string;
}

/** A call that was refused. */
export interface Refusal {
  /** As in `Origin`; for a caller whose certificate was refused, its address. */
  readonly subject: string;
  /** "NetworkService/CreateNetwork". */
  readonly method: string;
  /** As in `EventInput`. */
  readonly object?: string | undefined;
  readonly code: ErrorCode;
  /** For people. */
  readonly message: string;
}

/** A refused call, apart from why it was refused. */
export type RefusedCall = Pick<Refusal, 'subject' | 'method' | 'object'>;

/** Who caused a change, and why. */
export interface Origin {
  /** "root@h1", "agent/h2", "manager/m1": as the caller names itself, unchecked. */
  readonly actor: string;
  /** The request id of a call; for a manager's own writes, the name of the rule. */
  readonly cause: string;
  /** Who made the call, as the connection proves: "operator/mary"; absent: the manager itself. */
  readonly subject?: string;
  /** The method that was called; absent: none. */
  readonly method?: string;
}
