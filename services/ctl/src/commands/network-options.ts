import { Option } from 'commander';
import { parseRevisionOf } from '../parse.ts';

/** Options that several commands about networks have. */
export function ifRevisionOption(): Option {
  const what = 'only if the network is still at this revision; else print it as it is now, and exit 4';
  return new Option('--if-revision <revision>', what).argParser(parseRevisionOf('--if-revision'));
}

/** Notes for a dry run, because its output looks like that of a real change. */
export function dryRunNotes(dryRun: boolean | undefined): readonly string[] {
  return dryRun === true ? ['dry run: nothing was changed'] : [];
}

export function forceOption(): Option {
  return new Option('--force', 'also if the MTU is too large for a host, or a subnet overlaps the underlay of a host');
}

export function dryRunOption(): Option {
  return new Option('--dry-run', 'check everything and print the result, without changing anything');
}
