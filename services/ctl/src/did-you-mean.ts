import { CausewayError, type ErrorCode, isCausewayError } from '@causeway/model';
import type { Clients } from './clients.ts';
import type { LiveKind } from './completion/candidates.ts';
import { liveNames } from './completion/live-names.ts';
import { nearest } from './suggest.ts';

const kinds: Readonly<Partial<Record<ErrorCode, LiveKind>>> = {
  'network-unknown': 'network',
  'endpoint-unknown': 'endpoint',
  'node-unknown': 'node',
  'manager-unknown': 'manager',
};

/**
 * Adds the nearest existing name to an error about an unknown name. The error stays as it is when no manager can be
 * asked.
 */
export async function withSuggestion(error: unknown, clients: Clients): Promise<unknown> {
  if (!isCausewayError(error)) return error;
  const kind = kinds[error.code];
  const said = saidIn(error);
  if (kind === undefined || said === undefined) return error;
  try {
    const names = (await liveNames(kind, clients.managers)).map(({ word }) => word);
    const didYouMean = nearest(said, names);
    if (didYouMean === undefined) return error;
    return new CausewayError(error.code, error.message, { ...error.data, didYouMean }, { cause: error });
  } catch {
    // Whatever goes wrong with the guess, the caller gets the error itself.
    return error;
  }
}

function saidIn({ data, message }: CausewayError): string | undefined {
  const said = data['value'] ?? data['endpoint'] ?? data['name'] ?? /"([^"]+)"/.exec(message)?.[1];
  return typeof said === 'string' ? said : undefined;
}
