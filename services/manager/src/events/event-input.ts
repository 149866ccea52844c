import type { EndpointId, EventKind, Ip, NetworkId } from '@causeway/model';

/** An event before it is recorded. It names things for people, and has ids and addresses for look-ups. */
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
  /** How many like things this one event stands for; absent: one. */
  readonly count?: number;
  readonly message: string;
  /** When actor and cause differ from those of the write that the event is recorded with. */
  readonly actor?: string;
  readonly cause?: string;
}

/** On whose behalf something changed, and why. */
export interface Origin {
  /** "root@h1", "agent/h2", "manager/m1": what the caller says of itself, unchecked. */
  readonly actor: string;
  /** The request id of a call; of a manager's own writes the name of the rule. */
  readonly cause: string;
}
