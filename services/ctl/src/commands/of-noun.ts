import { Argument } from 'commander';
import { type CommandBuilder, command, group } from '../command.ts';
import { everything, type ListQuery } from '../listing.ts';
import type { Noun } from '../nouns/noun.ts';
import { sorted } from '../render/sort.ts';
import { watchStream } from '../render/watch.ts';
import { changesOf, listOptions, type WatchInput, watchHelp } from './list-options.ts';
import { present } from './present.ts';

/** `causeway NOUN`, with these verbs. Completion and suggestions of names find the noun's objects there. */
export function groupOf<Item>(noun: Noun<Item>, summary: string, verbs: readonly CommandBuilder[]): CommandBuilder {
  const { name, all, candidates } = noun;
  return group(name, summary, verbs, async (managers) => candidates((await all(managers, everything)).items));
}

/** `causeway NOUN list` */
export function listOf<Item, Query extends ListQuery>(noun: Noun<Item, Query>): CommandBuilder {
  const { summary, options = [], fields, sortable, examples, ...more } = noun.list;
  return command<Query & WatchInput>({
    name: 'list',
    summary,
    description: watchHelp,
    ...more,
    options: [...options, ...listOptions(fields, sortable)],
    uses: ['managers', 'timeout', 'output'],
    examples,
    async run(call) {
      const { input, clients, context } = call;
      if (input.watch)
        return watchStream(noun.watch(clients.managers, input, changesOf(call)), noun.shown, input.limit);
      const { items, notes } = await noun.all(clients.managers, input);
      return { ...sorted(noun.table(items, context.clock.wall()), input.sortBy), notes };
    },
  });
}

/** `causeway NOUN show` */
export function showOf<Item, Query extends ListQuery>(noun: Noun<Item, Query>): CommandBuilder {
  const { summary, argument, examples } = noun.show;
  return command<Readonly<Record<string, string>>>({
    name: 'show',
    summary,
    arguments: [new Argument(`<${noun.name}>`, argument)],
    uses: ['managers', 'timeout', 'output'],
    examples,
    async run({ input, clients, context }) {
      const item = await noun.get(clients.managers, input[noun.name] ?? '');
      return noun.sheet(present(item, noun.name), context.clock.wall());
    },
  });
}
