import { CausewayError } from '@causeway/model';
import { Option } from 'commander';
import { command } from '../command.ts';
import type { Names } from '../noun-group.ts';
import { managersAnswer } from '../render/manager.ts';
import { sorted } from '../render/sort.ts';
import { type SortInput, sortOption } from './list-options.ts';

interface Input extends SortInput {
  readonly watch?: true;
}

export const managerNames: Names = async (managers) => {
  const listed = await managers.listManagers({});
  return listed.managers.map(({ name, address }) => ({ word: name, help: address }));
};

export const managerList = command<Input>({
  name: 'list',
  summary: 'list the managers',
  description:
    'A manager that stopped or died is listed as unreachable, and since when, until it is back or "causeway manager remove" removes it.',
  options: [
    sortOption(['name', 'address', 'state', 'version']),
    // Other lists have this option. Here it is refused, and the error names the alternative.
    new Option('-w, --watch').hideHelp(),
  ],
  uses: ['managers', 'timeout', 'output'],
  examples: ['causeway manager list -o json'],
  async run({ input, clients, context }) {
    if (input.watch === true) throw unwatched();
    const { managers } = await clients.managers.listManagers({});
    return sorted(managersAnswer(managers, context.clock.wall()), input.sortBy);
  },
});

function unwatched(): CausewayError {
  const message =
    '--watch: the managers do not report changes of this list; "causeway status --watch" looks again every 2 s, and ' +
    '"causeway events --watch --kind manager.joined --kind manager.lost --kind manager.removed" prints each change';
  return new CausewayError('invalid-argument', message, { field: '--watch' });
}
