import { CausewayError, clip } from '@causeway/model';
import { Option } from 'commander';

/** Options that several commands about networks have. */
export function ifRevisionOption(): Option {
  const what = 'only if it is still at this revision, else print it as it is and exit 4';
  return new Option('--if-revision <revision>', what).argParser(parseRevision);
}

export function dryRunOption(): Option {
  return new Option('--dry-run', 'check everything, print what would be, and change nothing');
}

function parseRevision(text: string): bigint {
  if (/^[1-9]\d{0,17}$/.test(text)) return BigInt(text);
  throw new CausewayError('invalid-argument', `--if-revision: "${clip(text)}" is not a revision such as 42`, {
    field: '--if-revision',
    value: clip(text),
  });
}
