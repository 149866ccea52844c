import { type JoinToken, parseToken } from '@causeway/identity';
import { CausewayError, unwrap } from '@causeway/model';
import { Option } from 'commander';
import type { ThisHost } from './this-host.ts';

export interface TokenInput {
  readonly token?: string;
  readonly tokenFile?: string;
}

export const tokenOptions = (): Option[] => [
  new Option('--token <token>', 'join token; "-": read it from standard input').env('CAUSEWAY_TOKEN'),
  new Option('--token-file <path>', 'file with the join token').conflicts('token'),
];

export const tokenHelp =
  'Other users of this host see the arguments of a command while it runs. To hide the token, give it with --token-file, with\n' +
  '--token - on standard input, or in the variable CAUSEWAY_TOKEN. The token is written to no file and no log.';

/** @throws CausewayError token-invalid; invalid-argument: there is no token */
export async function readToken(host: Pick<ThisHost, 'readToken'>, said: TokenInput): Promise<JoinToken> {
  const file = said.tokenFile ?? (said.token === '-' ? '-' : undefined);
  const text = file === undefined ? said.token : await host.readToken(file);
  if (text !== undefined) return unwrap(parseToken(text.trim()));
  const message =
    '--token: there is no join token; "causeway node token create" makes one, where an operator uses causeway';
  throw new CausewayError('invalid-argument', message, { field: '--token' });
}
