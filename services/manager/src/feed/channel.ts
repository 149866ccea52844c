import type { CausewayError } from '@causeway/model';
import type { ConnectRequest } from '@causeway/proto/gen/causeway/v1/session_service.js';
import type { Identity } from '../call/identity.ts';

/** The manager's end of an agent's session: messages come decoded and go out as the bytes of a ConnectResponse, encoded once for all. */
export interface AgentChannel {
  /** Who is at the other end, as far as that is proved. */
  readonly peer: Identity;
  /** Ends when the agent closes or the connection breaks. */
  readonly requests: AsyncIterable<ConnectRequest>;
  send(response: Uint8Array): void;
  /** Bytes sent and not yet taken by the connection: a slow agent shows here. */
  readonly backlog: number;
  close(error?: CausewayError): void;
}
