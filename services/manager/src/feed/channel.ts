import type { CausewayError } from '@causeway/model';
import type { ConnectRequest } from '@causeway/proto/gen/causeway/v1/session_service.js';
import type { Identity } from '../call/identity.ts';

/**
 * The manager's end of an agent's session. Messages arrive decoded. They are sent as the bytes of a ConnectResponse, encoded
 * once for all agents.
 */
export interface AgentChannel {
  /** Identity of the other end, as far as it is proved. */
  readonly peer: Identity;
  /** Ends when the agent closes or the connection breaks. */
  readonly requests: AsyncIterable<ConnectRequest>;
  send(response: Uint8Array): void;
  /** Bytes that were sent and that the connection has not taken yet. It grows with a slow agent. */
  readonly backlog: number;
  close(error?: CausewayError): void;
}
