import { CausewayError, parseFieldSelector, parseLabelSelector, type Result, unwrap } from '@causeway/model';
import { Option } from 'commander';
import { largestPage } from '../listing.ts';
import { parseInteger } from '../parse.ts';

/** What `list` commands have in common: those of `Wanted`. */
export function listOptions(fields: string): Option[] {
  return [
    new Option('-l, --selector <labels>', 'only those with such labels: a=b, a!=b, "a in (x,y)", "a notin (x)", a, !a')
      .argParser(checked(parseLabelSelector, '--selector'))
      .default('', 'all'),
    new Option('--field <fields>', `only those with such fields, by = and !=: ${fields}`)
      .argParser(checked(parseFieldSelector, '--field'))
      .default('', 'all'),
    new Option('--page-size <number>', `how many to ask for at once, at most ${largestPage}`).argParser(parsePageSize),
    new Option('--limit <number>', 'no more than so many').argParser(parseInteger('--limit', 1)),
  ];
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
