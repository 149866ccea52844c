import { CausewayError, isCausewayError } from '@causeway/model';
import { errorFromWire, plainWords, statusDetailsKey } from '@causeway/proto';
import { StatusError } from '@causeway/proto/io';
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';

/** The leader's refusal, passed on unchanged: a newer leader may use codes that this manager does not know. */
export class LeaderRefusal extends StatusError {
  override readonly name = 'LeaderRefusal';

  constructor({ code, details, metadata }: ServiceError) {
    const kept = new Metadata();
    for (const detail of metadata.get(statusDetailsKey)) kept.add(statusDetailsKey, detail);
    super({ code, details, metadata: kept });
  }
}

/** Whether the error means that the leader did not answer: the leader is away or silent, or does not lead any more. */
export function isNoAnswer(error: unknown): boolean {
  if (isCausewayError(error)) return error.kind === 'unavailable';
  if (!(error instanceof LeaderRefusal)) return false;
  const { code, details, metadata } = error.wire;
  const [detail] = metadata.get(statusDetailsKey);
  const { kind, code: reason } = errorFromWire(code, details, typeof detail === 'string' ? undefined : detail);
  return kind === 'unavailable' && (detail === undefined || reason === 'not-leader' || reason === 'shutting-down');
}

/** Why a forwarded call has no answer: the leader's refusal, or manager-unavailable when the leader sent nothing. */
export function failureOf(error: ServiceError, leader: string): LeaderRefusal | CausewayError {
  const isWordless = error.code === status.UNAVAILABLE && error.metadata.get(statusDetailsKey).length === 0;
  if (!isWordless) return new LeaderRefusal(error);
  const message = `the leader at ${leader} cannot be reached (${plainWords(error.details)}): try again`;
  return new CausewayError('manager-unavailable', message, { address: leader }, { cause: error });
}
