import { CausewayError } from '@causeway/model';
import { isNoAnswer, refusalIn } from '@causeway/proto';
import type { Duration } from '@causeway/runtime';
import { formatSpan } from './render/time.ts';

/**
 * Replaces gRPC's own message about a missing answer by a message that names the server. An error from a server stays as
 * it is.
 */
export function explainSilence(
  error: unknown,
  asked: { readonly what: 'manager' | 'agent'; readonly at: string; readonly timeout: Duration },
): unknown {
  const data = { at: asked.at };
  const refusal = refusalIn(error);
  if (refusal !== undefined) {
    const message = `the ${asked.what} is not trusted (${asked.at}): ${refusal.message}`;
    return new CausewayError(refusal.code, message, data, { cause: error });
  }
  if (isNoAnswer(error, 'timed-out')) {
    const message = `no answer from the ${asked.what} (${asked.at}) within ${formatSpan(asked.timeout)}`;
    return new CausewayError('timed-out', message, data, { cause: error });
  }
  if (isNoAnswer(error, 'manager-unavailable')) {
    const message = `no ${asked.what} answers (${asked.at}): ${error.message}`;
    return new CausewayError(`${asked.what}-unavailable`, message, data, { cause: error });
  }
  return error;
}
