import {
  CausewayError,
  type ErrorCode,
  type ErrorData,
  type ErrorKind,
  errorKinds,
  parseRefusal,
} from '@causeway/model';
import { Any } from '#gen/google/protobuf/any.js';
import { ErrorInfo } from '#gen/google/rpc/error_details.js';
import { Status } from '#gen/google/rpc/status.js';

/** Trailer that carries google.rpc.Status (gRPC "richer error model"). */
export const statusDetailsKey = 'grpc-status-details-bin';

const domain = 'causeway.v1';

/** gRPC status code for each kind of error (grpc/doc/statuscodes.md). The only such table. */
const grpcCodes = {
  invalid: 3,
  'not-found': 5,
  conflict: 9,
  exhausted: 8,
  unavailable: 14,
  unsupported: 9,
  denied: 7,
  internal: 13,
} as const satisfies Record<ErrorKind, number>;

/** The error code for a status that gRPC itself reports, not one of our servers. */
const foreignCodes: Readonly<Record<number, ErrorCode>> = {
  1: 'timed-out',
  3: 'invalid-argument',
  4: 'timed-out',
  7: 'permission-denied',
  8: 'message-too-large',
  12: 'internal',
  14: 'manager-unavailable',
  16: 'permission-denied',
};

export interface WireError {
  readonly code: number;
  readonly message: string;
  /** An encoded google.rpc.Status. */
  readonly details: Uint8Array;
}

/** Encodes a thrown error for the wire. A foreign error becomes "internal", and its text is not sent. */
export function errorToWire(error: unknown): WireError {
  const status = errorToStatus(error);
  return { code: status.code, message: status.message, details: Status.toBinary(status) };
}

/** The same error as part of an answer. */
export function errorToStatus(error: unknown): Status {
  const ours =
    error instanceof CausewayError ? error : new CausewayError('internal', 'internal error, see the log of the server');
  const code = ours.code === 'timed-out' ? 4 : grpcCodes[ours.kind];
  // An error that gRPC reported on another connection is sent on as our own: on this connection a server has answered.
  const data = ours.data['grpcCode'] === undefined ? Object.entries(ours.data) : [];
  const metadata = Object.fromEntries(data.map(([key, value]) => [key, String(value)]));
  const info = ErrorInfo.create({ reason: ours.code.toUpperCase().replaceAll('-', '_'), domain, metadata });
  return { code, message: ours.message, details: [Any.pack(info, ErrorInfo)] };
}

/** The error that a peer sent. A status without our detail becomes the error code that is nearest to it. */
export function errorFromWire(
  code: number,
  message: string,
  details: Uint8Array | undefined,
  cause?: unknown,
): CausewayError {
  const info = details === undefined ? undefined : readInfo(details);
  return errorOf(code, message, info, cause);
}

/** The error in a part of an answer. */
export function errorFromStatus(status: Status): CausewayError {
  return errorOf(status.code, status.message, infoOf(status));
}

function errorOf(code: number, message: string, info: ErrorInfo | undefined, cause?: unknown): CausewayError {
  const reason = info?.reason.toLowerCase().replaceAll('_', '-');
  if (info !== undefined && reason !== undefined && reason in errorKinds) {
    return new CausewayError(reason as ErrorCode, message, info.metadata, { cause });
  }
  const words = plainWords(message);
  const refusal = code === grpcCodes.unavailable ? parseRefusal(words) : undefined;
  if (refusal !== undefined) return refusedByClient(refusal);
  return new CausewayError(foreignCodes[code] ?? 'internal', words, foreignData(code, message), { cause });
}

/**
 * The client itself has refused the server, by the server's certificate. Another server may be accepted, so for the call
 * this is a server without an answer.
 */
function refusedByClient(refusal: CausewayError): CausewayError {
  const data = { grpcCode: grpcCodes.unavailable, refused: true, refusal: refusal.code };
  return new CausewayError('manager-unavailable', refusal.message, data, { cause: refusal });
}

/**
 * The useful part of gRPC's own error text: "No connection established. Last error: Error: connect ECONNREFUSED …". The error is
 * "null" if another channel tried to connect: channels share the state of an address, and only that channel got the text.
 */
export function plainWords(text: string): string {
  const [, last] = /Last error: (?:Error: )?(.*?)(?:\. Resolution note:.*)?$/s.exec(text) ?? [];
  if (last === 'null') return 'no connection could be made';
  // The timestamp would make the message of each try different, and every log line has one anyway.
  return (last ?? text).replace(/ \(\d{4}-\d\d-\d\dT[\d:.]+Z\)$/, '').trim();
}

/** `refused`: the machine answers, but no server listens at the port or path. This is certain, unlike silence. */
function foreignData(code: number, message: string): ErrorData {
  return /\b(ECONNREFUSED|ENOENT)\b/.test(message) ? { grpcCode: code, refused: true } : { grpcCode: code };
}

function readInfo(details: Uint8Array): ErrorInfo | undefined {
  try {
    return infoOf(Status.fromBinary(details));
  } catch {
    return undefined;
  }
}

function infoOf({ details }: Status): ErrorInfo | undefined {
  const ours = details
    .filter((detail) => Any.contains(detail, ErrorInfo))
    .map((detail) => Any.unpack(detail, ErrorInfo));
  return ours.find((info) => info.domain === domain);
}
