import type { Event } from '@causeway/proto/gen/causeway/v1/types.js';
import { Option } from 'commander';
import { command } from '../command.ts';
import { parseInteger } from '../parse.ts';
import { eventStream, eventsAnswer } from '../render/event.ts';

interface Input {
  readonly watch?: true;
  readonly since: number;
}

export const events = command<Input>({
  name: 'events',
  summary: 'show what happened in the cluster',
  description:
    'Sequence numbers are those of the manager that answers. With --watch, -o json prints one object a line; should\n' +
    'that manager go away the command ends with exit 5.',
  options: [
    new Option('--watch', 'go on with events as they happen'),
    new Option('--since <sequence>', 'first event wanted')
      .argParser(parseInteger('--since', 0))
      .default(0, 'oldest kept'),
  ],
  uses: ['managers', 'timeout', 'output'],
  examples: ['causeway events', 'causeway events --watch -o json'],
  async run({ input, clients }) {
    const follow = input.watch === true;
    const happened = clients.managers.watchEvents({ fromSequence: BigInt(input.since), follow });
    return follow ? eventStream(happened) : eventsAnswer(await collect(happened));
  },
});

async function collect(happened: AsyncIterable<Event>): Promise<Event[]> {
  const all: Event[] = [];
  for await (const event of happened) all.push(event);
  return all;
}
