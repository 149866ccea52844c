import { type UnknownCode, unknownCodes } from './nouns.ts';

/**
 * What a caller can do about an error. Each kind is one gRPC status and one exit code of the CLI:
 * invalid (2) change the request; not-found (3); conflict (4) something else holds it;
 * exhausted (1) free something; unavailable (5) try again; unsupported (5) use another host, or another version; denied (1);
 * internal (1) our defect.
 */
export type ErrorKind =
  | 'invalid'
  | 'not-found'
  | 'conflict'
  | 'exhausted'
  | 'unavailable'
  | 'unsupported'
  | 'denied'
  | 'internal';

const notFound = Object.fromEntries(unknownCodes.map((code) => [code, 'not-found'])) as Readonly<
  Record<UnknownCode, 'not-found'>
>;

/** Every error of the project by its code. On the wire the code is google.rpc.ErrorInfo.reason in UPPER_SNAKE. */
export const errorKinds = {
  ...notFound,
  'invalid-argument': 'invalid',
  'prefix-invalid': 'invalid',
  'prefix-host-bits': 'invalid',
  'address-invalid': 'invalid',
  'address-outside': 'invalid',
  'address-reserved': 'invalid',
  'gateway-outside': 'invalid',
  'gateway-duplicate': 'invalid',
  'gateway-internal': 'invalid',
  'range-outside': 'invalid',
  'range-overlap': 'invalid',
  'range-empty': 'invalid',
  'aux-address-outside': 'invalid',
  'aux-address-duplicate': 'invalid',
  'subnet-full': 'invalid',
  'subnet-missing': 'invalid',
  'family-unneeded': 'invalid',
  'driver-unknown': 'invalid',
  'name-invalid': 'invalid',
  'ifname-invalid': 'invalid',
  'netns-invalid': 'invalid',
  'mtu-invalid': 'invalid',
  'vni-invalid': 'invalid',
  'cluster-mismatch': 'invalid',
  'token-invalid': 'invalid',
  'unlock-key-invalid': 'invalid',
  'certificate-request-invalid': 'invalid',
  'name-taken': 'conflict',
  'name-ambiguous': 'conflict',
  'subnet-overlap': 'conflict',
  'underlay-overlap': 'conflict',
  'mtu-too-large': 'conflict',
  'address-in-use': 'conflict',
  'ifname-taken': 'conflict',
  'endpoint-exists': 'conflict',
  'vni-taken': 'conflict',
  'network-in-use': 'conflict',
  'subnet-in-use': 'conflict',
  'manager-exists': 'conflict',
  'quorum-loss': 'conflict',
  'revision-conflict': 'conflict',
  'revision-compacted': 'conflict',
  'request-reused': 'conflict',
  'lock-held': 'conflict',
  'node-in-use': 'conflict',
  'node-unready': 'conflict',
  'node-drained': 'conflict',
  'session-taken': 'conflict',
  'lab-exists': 'conflict',
  'lab-process-state': 'conflict',
  'address-exhausted': 'exhausted',
  'vni-exhausted': 'exhausted',
  'subnet-exhausted': 'exhausted',
  'disk-full': 'exhausted',
  'message-too-large': 'exhausted',
  'not-leader': 'unavailable',
  'store-unavailable': 'unavailable',
  'manager-unavailable': 'unavailable',
  'agent-unavailable': 'unavailable',
  'listen-failed': 'unavailable',
  'address-absent': 'unavailable',
  'mtu-pending': 'unavailable',
  'timed-out': 'unavailable',
  'shutting-down': 'unavailable',
  recovering: 'unavailable',
  'external-ca-failed': 'unavailable',
  'encryption-unavailable': 'unsupported',
  busy: 'unavailable',
  'permission-denied': 'denied',
  'capability-missing': 'denied',
  'schema-unsupported': 'denied',
  'feed-unsupported': 'denied',
  'data-too-new': 'denied',
  'manager-removed': 'denied',
  'node-removed': 'denied',
  'role-mismatch': 'denied',
  'ca-mismatch': 'denied',
  'clock-wrong': 'denied',
  'certificate-missing': 'denied',
  'certificate-invalid': 'denied',
  'certificate-untrusted': 'denied',
  'certificate-expired': 'denied',
  'certificate-not-yet-valid': 'denied',
  'token-refused': 'denied',
  'token-used': 'denied',
  'token-expired': 'denied',
  'token-revoked': 'denied',
  'unlock-key-missing': 'denied',
  'unlock-key-wrong': 'denied',
  'key-exposed': 'denied',
  'identity-missing': 'denied',
  'kernel-refused': 'internal',
  'data-damaged': 'internal',
  internal: 'internal',
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorKinds;

/** What a program may need beside the code, above all the wrong field. */
export type ErrorData = Readonly<Record<string, string | number | boolean>>;

/**
 * One error for all layers. The message is for people (it names the field and what would be right), code and data are for
 * programs.
 */
export class CausewayError extends Error {
  override readonly name = 'CausewayError';
  readonly code: ErrorCode;
  readonly data: ErrorData;

  constructor(code: ErrorCode, message: string, data: ErrorData = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.data = data;
  }

  get kind(): ErrorKind {
    return errorKinds[this.code];
  }
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

export function isCausewayError(error: unknown, code?: ErrorCode): error is CausewayError {
  return error instanceof CausewayError && (code === undefined || error.code === code);
}
