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

/** An error about a name that there is not, with the one that is nearest to it; as it is where nobody can be asked. */
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
    // Whatever goes wrong with a guess, the error is what was asked for.
    return error;
  }
}

function saidIn({ data, message }: CausewayError): string | undefined {
  const said = data['value'] ?? data['endpoint'] ?? data['name'] ?? /"([^"]+)"/.exec(message)?.[1];
  return typeof said === 'string' ? said : undefined;
}
