import { CausewayError, type ErrorCode, errorKinds } from './error.ts';

/**
 * A refusal that a client has decided on itself, as text: when a connection is given up, gRPC reports to the caller of a
 * method only the text of the error. So the text contains the code, too.
 */
export function formatRefusal({ code, message }: CausewayError): string {
  return `refused as ${code}: ${message}`;
}

const pattern = /^refused as ([a-z-]+): (.*)$/s;

/** Undefined: the text is of another failure. */
export function parseRefusal(text: string): CausewayError | undefined {
  const [, code = '', message = ''] = pattern.exec(text) ?? [];
  return Object.hasOwn(errorKinds, code) ? new CausewayError(code as ErrorCode, message) : undefined;
}
