import type { EndpointId, EventKind, Ip, NetworkId } from '@causeway/model';

/** What happened, as whoever decided it tells it. Names for people; ids and addresses for who looks something up. */
export interface Happening {
  readonly kind: EventKind;
  readonly network?: string;
  readonly networkId?: NetworkId;
  readonly endpoint?: string;
  readonly endpointId?: EndpointId;
  readonly host?: string;
  readonly addresses?: readonly Ip[];
  /** Of a reservation. */
  readonly purpose?: string;
  /** Of like things that are told as one; absent: one. */
  readonly count?: number;
  readonly message: string;
  /** When these are others than those of the write it is told with. */
  readonly actor?: string;
  readonly cause?: string;
}

/** Who wanted what happened, and why. */
export interface Origin {
  /** "root@h1", "agent/h2", "manager/m1": what it says of itself, which nobody has checked. */
  readonly actor: string;
  /** The request id of a call; of a manager's own writes the name of the rule. */
  readonly cause: string;
}
