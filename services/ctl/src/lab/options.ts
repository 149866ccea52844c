import { Argument, Option } from 'commander';
import { candidates, completed } from '../completion/values.ts';
import type { Labs } from './labs.ts';

/** What most commands about labs take. */
export function nameOption(labs: Pick<Labs, 'names'>): Option {
  const option = new Option('--name <name>', 'name of the lab').default(defaultName);
  return completed(option, async () => candidates(await labs.names()));
}

export function hostArgument(labs: Pick<Labs, 'status'>, name = '<host>', what = 'h1, h2, …'): Argument {
  return completed(new Argument(name, what), async ({ options }) => {
    const { hosts } = await labs.status(options['--name'] ?? defaultName);
    return hosts.map(({ name, underlay }) => ({ word: name, help: underlay }));
  });
}

const defaultName = 'lab';
