import { CausewayError } from '@causeway/model';
import { type Duration, type Log, milliseconds } from '@causeway/runtime';
import {
  type CallOptions,
  type ClientUnaryCall,
  type handleUnaryCall,
  Metadata,
  type ServerUnaryCall,
  type ServiceError,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { errorFromWire, errorToWire, statusDetailsKey } from '../convert/error.ts';
import { decoded } from './undecodable.ts';

/** A unary method of a generated client, with its full signature. */
export type UnaryMethod<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, value?: Response) => void,
) => ClientUnaryCall;

/** Metadata in which the caller names itself. A manager that forwards the call does not change it. */
export const actorKey = 'causeway-actor';

/** Metadata of a call that was sent before, to the same end. Copies of it may still be on their way to any server. */
export const retryKey = 'causeway-again';

/** Metadata of an agent's session at a manager that does not lead. Asks it to relay, as the host cannot reach the leader. */
export const relayKey = 'causeway-relay';

/** Metadata of the answer to that: host:port of the leader that the session is relayed to. */
export const relayedKey = 'causeway-relayed-to';

/**
 * Metadata of an answer from a manager that is not the leader, although the leader would know more: which manager
 * answers, and why. The answer is complete as to intent, but lacks what only the leader knows from the hosts.
 */
export const remarkKey = 'causeway-remark';

export interface CallLimits {
  /** Milliseconds from now. Without a timeout a call could wait forever, so there is no default. */
  readonly timeout: number;
  readonly signal?: AbortSignal;
  /** The caller's name. Events of the call's changes contain it. */
  readonly actor?: string;
  /** The call was sent before, and no answer came. */
  readonly isRetry?: boolean;
  /** Gets the server's remark on its answer, before the answer. */
  readonly onRemark?: (remark: string) => void;
}

/** Calls a method of a generated client (bound to the client) as a promise; rejects with a CausewayError. */
export function callUnary<Request, Response>(
  method: UnaryMethod<Request, Response>,
  request: Request,
  limits: CallLimits,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const abort = (): void => call.cancel();
    const call = method(request, metadataOf(limits), { deadline: Date.now() + limits.timeout }, (error, value) => {
      limits.signal?.removeEventListener('abort', abort);
      if (error !== null) reject(errorFromService(error));
      else if (value === undefined) reject(new CausewayError('internal', 'the server sent an empty answer'));
      else resolve(value);
    });
    const { onRemark } = limits;
    if (onRemark !== undefined) {
      call.on('metadata', (metadata) => {
        for (const remark of metadata.get(remarkKey)) onRemark(String(remark));
      });
    }
    limits.signal?.addEventListener('abort', abort);
    if (limits.signal?.aborted === true) abort();
  });
}

export function metadataOf({ actor, isRetry = false }: Pick<CallLimits, 'actor' | 'isRetry'>): Metadata {
  const metadata = new Metadata();
  // Metadata is printable ASCII; a user name may contain other characters.
  if (actor !== undefined) metadata.set(actorKey, actor.replace(/[^\x20-\x7e]/g, '?'));
  if (isRetry) metadata.set(retryKey, '1');
  return metadata;
}

export function errorFromService(error: ServiceError): CausewayError {
  const detail = error.metadata?.get(statusDetailsKey)[0];
  return errorFromWire(error.code, error.details, typeof detail === 'string' ? undefined : detail, error);
}

/** A failure as it is sent: the fields that grpc-js requires of an error. */
export interface WireStatus {
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata;
}

/** A failure that is sent unchanged, such as the refusal of another server. */
export class StatusError extends Error {
  override readonly name: string = 'StatusError';
  readonly wire: WireStatus;

  constructor(wire: WireStatus) {
    super(wire.details);
    this.wire = wire;
  }
}

export function errorToService(error: unknown): WireStatus {
  if (error instanceof StatusError) return error.wire;
  const wire = errorToWire(error);
  const metadata = new Metadata();
  metadata.set(statusDetailsKey, Buffer.from(wire.details));
  return { code: wire.code, details: wire.message, metadata };
}

/** The failure that a server sends to its caller. An internal error is a defect in Causeway, and is also logged. */
export function reportFailure(log: Pick<Log, 'error'>, call: { getPath(): string }, error: unknown): WireStatus {
  const wire = errorToService(error);
  if (wire.code === status.INTERNAL && !(error instanceof StatusError))
    log.error('call.failed', { op: call.getPath(), message: String(error) });
  return wire;
}

/** Milliseconds until the caller gives up, or `otherwise` for a caller without a deadline. */
export function remainingOf(call: { getDeadline(): Date | number }, otherwise: Duration): Duration {
  const deadline = Number(call.getDeadline());
  return Number.isFinite(deadline) ? milliseconds(Math.max(0, deadline - Date.now())) : otherwise;
}

/** Serves an async function as a unary handler. */
export function serveUnary<Request, Response>(
  serve: (request: Request, call: ServerUnaryCall<Request, Response>) => Promise<Response>,
  log: Pick<Log, 'error'>,
): handleUnaryCall<Request, Response> {
  const answer = async (call: ServerUnaryCall<Request, Response>): Promise<Response> =>
    await serve(decoded(call.request), call);
  return (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>) => {
    answer(call).then(
      (response) => callback(null, response),
      (error: unknown) => callback(reportFailure(log, call, error)),
    );
  };
}
