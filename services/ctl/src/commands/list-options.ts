import { CausewayError, parseFieldSelector, parseLabelSelector, type Result, unwrap } from '@causeway/model';
import { Option } from 'commander';
import type { Call } from '../command.ts';
import { completed, fixed } from '../completion/values.ts';
import { largestPage } from '../listing.ts';
import { parseInteger, parseRevisionOf } from '../parse.ts';
import type { Changes } from '../watching.ts';

/** What `list` commands have in common: those of `Wanted`. */
export function listOptions(fields: readonly string[], sortable: readonly string[]): Option[] {
  const names = fields.join(', ');
  return [
    new Option(
      '-l, --selector <labels>',
      'only those whose labels match: a=b, a!=b, "a in (x,y)", "a notin (x)", a, !a',
    )
      .argParser(checked(parseLabelSelector, '--selector'))
      .default('', 'all'),
    completed(
      new Option('--field <fields>', `only those whose fields match, by = and !=: ${names}`)
        .argParser(checked(parseFieldSelector, '--field'))
        .default('', 'all'),
      fixed(fields.flatMap((field) => [`${field}=`, `${field}!=`])),
    ),
    sortOption(sortable),
    new Option('--page-size <number>', `how many to ask for at once, at most ${largestPage}`).argParser(parsePageSize),
    new Option('--limit <number>', 'print at most this many').argParser(parseInteger('--limit', 1)),
    new Option('-w, --watch', 'then print changes as they happen').conflicts(['pageSize', 'sortBy']),
    new Option('--from-revision <revision>', 'watch, beginning with the changes after this revision')
      .argParser(parseRevisionOf('--from-revision'))
      .implies({ watch: true }),
  ];
}

/** For what is listed whole; `fields` are proposed, every one of the JSON is taken. */
export function sortOption(fields: readonly string[]): Option {
  const what = 'in the order of a field of -o json, such as applied.have; -FIELD: the largest first';
  return completed(new Option('--sort-by <field>', what), fixed(fields));
}

export interface SortInput {
  readonly sortBy?: string;
}

/** What --watch adds to `Wanted`. */
export interface WatchInput extends SortInput {
  readonly watch?: true;
  readonly fromRevision?: bigint;
}

/** How `list` commands watch. */
export const watchHelp =
  'With --watch, -o json prints one object a line: {type, revision, object}; type is ADDED, MODIFIED, REMOVED, or BOOKMARK:\n' +
  'all up to that revision has been printed. It goes on at another manager when one dies, with nothing lost or printed\n' +
  'twice, and ends with exit 5 when none answers within --timeout. With --from-revision it ends with exit 4 when the managers\n' +
  'do not remember so far back: list again then. The objects hold what the store holds: conditions, readiness and counts are\n' +
  'judged at the moment when list or show asks, and change without the object, so a watch does not bring them.';

export function changesOf({ input, settings, context }: Call<WatchInput>): Changes {
  const { clock, signal } = context;
  const from = input.fromRevision === undefined ? {} : { from: input.fromRevision };
  return { ...from, clock, signal, patience: settings.timeout };
}

/** Sent as it is said, once it is known to be right. */
function checked(parse: (text: string, field: string) => Result<unknown, CausewayError>, field: string) {
  return (text: string): string => {
    unwrap(parse(text, field));
    return text;
  };
}

const wholeNumber = parseInteger('--page-size', 1);

function parsePageSize(text: string): number {
  const size = wholeNumber(text);
  if (size <= largestPage) return size;
  const data = { field: '--page-size', value: size };
  throw new CausewayError('invalid-argument', `--page-size: ${size} is more than ${largestPage}`, data);
}
