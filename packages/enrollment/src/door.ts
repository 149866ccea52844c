import type { Pin } from '@causeway/identity';
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
 * What a manager answers to a caller that has no certificate yet. Nothing is sent before the manager has proved that its CA
 * is the pinned CA. Failures are CausewayErrors.
 */
export interface Door {
  /** @throws CausewayError ca-mismatch, manager-unavailable, timed-out */
  getTrust(request: GetTrustRequest, limits: Limits): Promise<GetTrustResponse>;
  join(request: JoinRequest, limits: Limits): Promise<JoinResponse>;
  close(): void;
}

/** `address`: HOST:PORT. Opens no connection yet. */
export type Knock = (address: string, pin: Pin) => Door;
