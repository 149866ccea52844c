import { CausewayError, eventKinds, isCausewayError } from '@causeway/model';
import type { WatchEventsRequest } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import type { Event } from '@causeway/proto/gen/causeway/v1/types.js';
import { Option } from 'commander';
import type { Managers } from '../clients.ts';
import { command } from '../command.ts';
import { completed, fixed } from '../completion/values.ts';
import { collectText, parseInteger } from '../parse.ts';
import { eventStream, eventsAnswer } from '../render/event.ts';
import { type Moment, parseMoment, unixTime } from '../when.ts';

/** Maximum number of events that a manager collects before it answers. */
const mostTail = 10_000;

interface Input {
  readonly watch?: true;
  readonly tail?: number;
  readonly limit?: number;
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
    'Every manager shows the same events with the same sequence numbers (SEQ): the revision of the\n' +
    'write × 256, plus the place of the event in the write, so there are gaps. With --watch, -o json prints one JSON object per line;\n' +
    'when a manager fails, the watch continues at another. An event "events.gone" stands in place of events that are no longer kept.\n' +
    'Exit 3 for a network or host that does not exist and has no event left.',
  options: [
    new Option('-w, --watch', 'then print events as they happen'),
    new Option('--tail <number>', `only this many, the newest; at most ${mostTail}`)
      .argParser(parseTail)
      .conflicts('from'),
    new Option('--limit <number>', 'print at most this many, then end').argParser(parseInteger('--limit', 1)),
    new Option(
      '--since <when>',
      'only events since then: a duration such as 2h, or a time such as 2026-11-24T15:57:03Z',
    )
      .argParser(parseMoment('--since'))
      .conflicts('from'),
    new Option('--from <sequence>', 'first event: the sequence of the last event seen, plus 1').argParser(
      parseInteger('--from', 0),
    ),
    completed(
      new Option('--kind <kind>', 'only of this kind; repeat for several').argParser(collectText).default([], 'all'),
      fixed(eventKinds),
    ),
    new Option('-n, --network <network>', 'only of this network, by name or id').default('', 'all'),
    new Option('--host <name>', 'only of this host').default('', 'all'),
  ],
  uses: ['managers', 'timeout', 'output'],
  needsMajority: true,
  examples: [
    'causeway events --since 1h',
    'causeway events --tail 20 --watch',
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
      tail: input.tail ?? 0,
    };
    if (follow) {
      await checkKnown(clients.managers, request);
      return eventStream(atMost(clients.managers.watchEvents(request), input.limit));
    }
    const events = await collect(atMost(clients.managers.watchEvents(request), input.limit));
    if (events.length === 0) await checkKnown(clients.managers, request);
    return eventsAnswer(events);
  },
});

/**
 * An unknown network or host of which no event is stored is a typing error. An empty answer would hide the error.
 * @throws CausewayError network-unknown, node-unknown
 */
async function checkKnown(managers: Managers, { network, host }: WatchEventsRequest): Promise<void> {
  const look = [
    ...(network === ''
      ? []
      : [{ of: { network, host: '' }, get: () => managers.getNetwork({ network, atLeast: 0n }) }]),
    ...(host === '' ? [] : [{ of: { network: '', host }, get: () => managers.getNode({ node: host }) }]),
  ];
  for (const { of, get } of look) {
    try {
      await get();
    } catch (error) {
      if (!isCausewayError(error) || error.kind !== 'not-found') throw error;
      const kept = managers.watchEvents({ ...anyEvent, ...of });
      if ((await collect(atMost(kept, 1))).length === 0) throw error;
    }
  }
}

const anyEvent = { fromSequence: 0n, follow: false, sinceMs: 0n, kinds: [], tail: 1 };

async function* atMost<Item>(items: AsyncIterable<Item>, limit = Number.POSITIVE_INFINITY): AsyncGenerator<Item> {
  let left = limit;
  for await (const item of items) {
    yield item;
    if (--left <= 0) return;
  }
}

const wholeNumber = parseInteger('--tail', 1);

function parseTail(text: string): number {
  const tail = wholeNumber(text);
  if (tail <= mostTail) return tail;
  const data = { field: '--tail', value: tail };
  throw new CausewayError('invalid-argument', `--tail: ${tail} is more than ${mostTail}`, data);
}

async function collect(happened: AsyncIterable<Event>): Promise<Event[]> {
  const all: Event[] = [];
  for await (const event of happened) all.push(event);
  return all;
}
