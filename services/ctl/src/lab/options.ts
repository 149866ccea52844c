import type { Labs } from '@causeway/lab';
import { Argument, Option } from 'commander';
import { candidates, completed } from '../completion/values.ts';

/** The option that most commands about labs have. */
export function nameOption(labs: Pick<Labs, 'names'>): Option {
  const option = new Option('--name <name>', 'name of the lab').default(defaultName);
  return completed(option, async () => candidates(await labs.names()));
}

export function hostArgument(labs: Pick<Labs, 'open'>, name = '<host>', what = 'h1, h2, …'): Argument {
  return completed(new Argument(name, what), async ({ options }) => {
    const lab = await labs.open(options['--name'] ?? defaultName);
    const { hosts } = await lab.status();
    return hosts.map(({ name, underlay }) => ({ word: name, help: underlay }));
  });
}

const defaultName = 'lab';
