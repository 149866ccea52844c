import { CausewayError, parseFieldSelector, parseLabelSelector, type Result, unwrap } from '@causeway/model';
import { Option } from 'commander';
import type { Call } from '../command.ts';
import { completed, fixed } from '../completion/values.ts';
import { largestPage } from '../listing.ts';
import { parseInteger, parseRevisionOf } from '../parse.ts';
import type { Changes } from '../watching.ts';

/** The options that all `list` commands have: those of `ListQuery`. */
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
    new Option('--page-size <number>', `how many to request at once, at most ${largestPage}`).argParser(parsePageSize),
    new Option('--limit <number>', 'print at most this many').argParser(parseInteger('--limit', 1)),
    new Option('-w, --watch', 'then print changes as they happen').conflicts(['pageSize', 'sortBy']),
    new Option('--from-revision <revision>', 'watch, beginning with the changes after this revision')
      .argParser(parseRevisionOf('--from-revision'))
      .implies({ watch: true }),
  ];
}

/** For lists that are fetched whole. Completion offers `fields`; the option accepts every field of the JSON. */
export function sortOption(fields: readonly string[]): Option {
  const what = 'sort by a field of -o json, such as applied.have; -FIELD: the largest first';
  return completed(new Option('--sort-by <field>', what), fixed(fields));
}

export interface SortInput {
  readonly sortBy?: string;
}

/** What --watch adds to `ListQuery`. */
export interface WatchInput extends SortInput {
  readonly watch?: true;
  readonly fromRevision?: bigint;
}

/** Help about --watch of `list` commands. */
export const watchHelp =
  'With --watch, -o json prints one JSON object per line: {type, revision, object}. The type is ADDED, MODIFIED, REMOVED or\n' +
  'BOOKMARK, which means that all changes up to that revision are printed. When a manager dies, the watch continues at another\n' +
  'manager, and neither loses nor repeats a change. It ends with exit 5 when no manager answers within --timeout, and with exit 4\n' +
  'when the managers no longer remember the revision of --from-revision: list again then. Objects contain what is in the store:\n' +
  'conditions, readiness and counts are not, so a watch does not report them.';

export function changesOf({ input, settings, context }: Call<WatchInput>): Changes {
  const { clock, signal } = context;
  const from = input.fromRevision === undefined ? {} : { from: input.fromRevision };
  return { ...from, clock, signal, patience: settings.timeout };
}

/** Checks the text, and sends it unchanged. */
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
