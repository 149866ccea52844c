import { CausewayError, isCausewayError } from '@causeway/model';
import type { Duration } from '@causeway/runtime';
import { formatSpan } from './render/time.ts';

/** What gRPC itself says when nobody answers, in words that name whom we asked. An error a server sent stays as it is. */
export function explainSilence(
  error: unknown,
  asked: { readonly what: 'manager' | 'agent'; readonly at: string; readonly timeout: Duration },
): unknown {
  const data = { at: asked.at };
  if (isSilence(error, 'timed-out')) {
    const message = `no answer from the ${asked.what} (${asked.at}) within ${formatSpan(asked.timeout)}`;
    return new CausewayError('timed-out', message, data, { cause: error });
  }
  if (isSilence(error, 'manager-unavailable')) {
    const message = `no ${asked.what} answers (${asked.at}): ${reasonOf(error.message)}`;
    return new CausewayError(`${asked.what}-unavailable`, message, data, { cause: error });
  }
  return error;
}

/** Said by gRPC, not by a server: only an error made from a bare status carries `grpcCode`. */
export function isSilence(error: unknown, code: 'timed-out' | 'manager-unavailable'): error is CausewayError {
  return isCausewayError(error, code) && error.data['grpcCode'] !== undefined;
}

/** grpc-js: "No connection established. Last error: Error: connect ECONNREFUSED 10.0.0.1:7443. Resolution note: …" */
function reasonOf(text: string): string {
  const match = /Last error: (?:Error: )?(.*?)(?:\. Resolution note:.*)?$/s.exec(text);
  return match?.[1] ?? text;
}
