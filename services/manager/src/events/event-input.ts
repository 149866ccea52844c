import type { EndpointId, EventKind, Ip, NetworkId } from '@causeway/model';

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
  /** Only if it differs from the actor of the write that the event is recorded with. The same holds for `cause`. */
  readonly actor?: string;
  readonly cause?: string;
}

/** Who caused a change, and why. */
export interface Origin {
  /** "root@h1", "agent/h2", "manager/m1": as the caller names itself, unchecked. */
  readonly actor: string;
  /** The request id of a call; for a manager's own writes, the name of the rule. */
  readonly cause: string;
}
