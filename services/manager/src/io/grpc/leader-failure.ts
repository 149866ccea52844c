import { CausewayError } from '@causeway/model';
import { statusDetailsKey } from '@causeway/proto';
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';

/** A refusal as it goes on the wire. */
export interface WireStatus {
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata;
}

/** The leader's own words, passed on as they are: a newer leader may know codes that this manager does not. */
export class LeaderRefusal extends Error {
  override readonly name = 'LeaderRefusal';
  readonly wire: WireStatus;

  constructor({ code, details, metadata }: ServiceError) {
    super(details);
    const kept = new Metadata();
    for (const detail of metadata.get(statusDetailsKey)) kept.add(statusDetailsKey, detail);
    this.wire = { code, details, metadata: kept };
  }
}

/** Why a call that was sent on has no answer: the leader's refusal, or manager-unavailable when no word came from it. */
export function failureOf(error: ServiceError, leader: string): LeaderRefusal | CausewayError {
  const isWordless = error.code === status.UNAVAILABLE && error.metadata.get(statusDetailsKey).length === 0;
  if (!isWordless) return new LeaderRefusal(error);
  const message = `the leader at ${leader} cannot be reached (${error.details}): try again`;
  return new CausewayError('manager-unavailable', message, { address: leader }, { cause: error });
}
