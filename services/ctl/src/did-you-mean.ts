import { CausewayError, isCausewayError } from '@causeway/model';
import type { Command } from 'commander';
import type { Clients } from './clients.ts';
import { namesOf } from './noun-group.ts';
import { nearest } from './suggest.ts';

/**
 * Adds the nearest existing name to an error about an unknown name. The error stays as it is when no manager can be
 * asked. `command`: the command that failed, whose program knows the nouns.
 */
export async function withSuggestion(error: unknown, clients: Clients, command: Command): Promise<unknown> {
  if (!isCausewayError(error)) return error;
  const [, noun] = /^(.+)-unknown$/.exec(error.code) ?? [];
  const namesOfNoun = noun === undefined ? undefined : namesOf(command, noun);
  const said = saidIn(error);
  if (namesOfNoun === undefined || said === undefined) return error;
  try {
    const names = (await namesOfNoun(clients.managers)).map(({ word }) => word);
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
