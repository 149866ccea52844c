import type { WatchEventsRequest } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import type { Event } from '@causeway/proto/gen/causeway/v1/types.js';
import { Option } from 'commander';
import { command } from '../command.ts';
import { collectText, parseInteger } from '../parse.ts';
import { eventStream, eventsAnswer } from '../render/event.ts';
import { type Moment, parseMoment, unixTime } from '../when.ts';

interface Input {
  readonly watch?: true;
  readonly since?: Moment;
  readonly from?: number;
  readonly kind: readonly string[];
  readonly network: string;
  readonly host: string;
}

export const events = command<Input>({
  name: 'events',
  summary: 'show what happened in the cluster',
  description:
    'Every manager tells the same events under the same sequence numbers. With --watch, -o json prints one object a\n' +
    'line, and another manager goes on where one went away. What is not kept any more is told as an event "events.gone".',
  options: [
    new Option('--watch', 'go on with events as they happen'),
    new Option('--since <when>', 'nothing older: a span such as 2h, or a time such as 2026-11-24T15:57:03Z')
      .argParser(parseMoment('--since'))
      .conflicts('from'),
    new Option('--from <sequence>', 'first event wanted: the last one seen plus 1').argParser(
      parseInteger('--from', 0),
    ),
    new Option('--kind <kind>', 'only of this kind; may be given again').argParser(collectText).default([], 'all'),
    new Option('--network <name>', 'only of this network').default('', 'all'),
    new Option('--host <name>', 'only of this host').default('', 'all'),
  ],
  uses: ['managers', 'timeout', 'output'],
  examples: [
    'causeway events --since 1h',
    'causeway events --watch -o json',
    'causeway events --kind endpoint.attached --kind endpoint.detached --network blue',
  ],
  async run({ input, clients, context }) {
    const follow = input.watch === true;
    const request: WatchEventsRequest = {
      fromSequence: BigInt(input.from ?? 0),
      follow,
      sinceMs: input.since === undefined ? 0n : BigInt(unixTime(input.since, context.clock.wall())),
      kinds: [...input.kind],
      network: input.network,
      host: input.host,
    };
    const happened = clients.managers.watchEvents(request);
    return follow ? eventStream(happened) : eventsAnswer(await collect(happened));
  },
});

async function collect(happened: AsyncIterable<Event>): Promise<Event[]> {
  const all: Event[] = [];
  for await (const event of happened) all.push(event);
  return all;
}
