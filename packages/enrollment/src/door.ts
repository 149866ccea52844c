import type { Credential, Pin } from '@causeway/identity';
import type {
  GetTrustRequest,
  GetTrustResponse,
  JoinRequest,
  JoinResponse,
} from '@causeway/proto/gen/causeway/v1/certificate_service.js';
import type { Duration } from '@causeway/runtime';

export interface Limits {
  readonly timeout: Duration;
  readonly signal: AbortSignal;
}

/**
 * What a manager answers to a host that joins, or has joined. Nothing is sent before the manager has proved that its CA is the pinned
 * CA, or one that the credential trusts. Failures are CausewayErrors.
 */
export interface Door {
  /** @throws CausewayError ca-mismatch, manager-unavailable, timed-out; to a member that was removed: node-removed, manager-removed */
  getTrust(request: GetTrustRequest, limits: Limits): Promise<GetTrustResponse>;
  join(request: JoinRequest, limits: Limits): Promise<JoinResponse>;
  close(): void;
}

/** `address`: HOST:PORT. `by`: the credential of a member; before a host has one, the pin. Opens no connection yet. */
export type Knock = (address: string, by: Pin | Credential) => Door;
