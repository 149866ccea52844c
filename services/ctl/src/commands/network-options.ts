import { Option } from 'commander';
import { parseRevisionOf } from '../parse.ts';

/** Options that several commands about networks have. */
export function ifRevisionOption(): Option {
  const what = 'only if it is still at this revision, else print it as it is and exit 4';
  return new Option('--if-revision <revision>', what).argParser(parseRevisionOf('--if-revision'));
}

export function dryRunOption(): Option {
  return new Option('--dry-run', 'check everything, print what would be, and change nothing');
}
