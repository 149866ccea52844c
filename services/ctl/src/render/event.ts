import type { Event } from '@causeway/proto/gen/causeway/v1/types.js';
import type { Answer, Cell, Heading, Stream } from '../answer.ts';
import { isoTime } from './time.ts';

const columns: readonly Heading[] = [
  { title: 'SEQ', width: 9 },
  { title: 'TIME', width: 24 },
  { title: 'KIND', width: 20 },
  { title: 'NETWORK', width: 12 },
  { title: 'ENDPOINT', width: 16 },
  { title: 'HOST', width: 8 },
  { title: 'REVISION', width: 9, wide: true },
  { title: 'ACTOR', width: 12, wide: true },
  { title: 'SUBJECT', width: 16, wide: true },
  { title: 'METHOD', width: 28, wide: true },
  { title: 'OBJECT', width: 20, wide: true },
  { title: 'CAUSE', width: 36, wide: true },
  { title: 'MESSAGE' },
];

export function eventsAnswer(events: readonly Event[]): Answer {
  return {
    value: events.map(eventValue),
    names: events.map((event) => event.kind),
    table: { kind: 'grid', columns, rows: events.map(row) },
  };
}

export function eventStream(events: AsyncIterable<Event>): Stream {
  return { columns, parts: parts(events) };
}

async function* parts(events: AsyncIterable<Event>): Stream['parts'] {
  for await (const event of events) yield { value: eventValue(event), name: event.kind, row: row(event) };
}

/**
 * null: the event concerns no network, endpoint or host, or its cause is unknown; no call was made (subject, method), or it was carried
 * out (refusal, object).
 */
function eventValue(event: Event): object {
  return {
    sequence: event.sequence,
    revision: event.revision,
    time: isoTime(event.timeMs),
    kind: event.kind,
    network: event.network || null,
    endpoint: event.endpoint || null,
    host: event.host || null,
    addresses: event.addresses,
    actor: event.actor || null,
    subject: event.subject || null,
    method: event.method || null,
    object: event.object || null,
    refusal: event.refusal || null,
    cause: event.cause || null,
    count: event.count,
    message: event.message,
  };
}

function row(event: Event): Cell[] {
  return [
    String(event.sequence),
    isoTime(event.timeMs),
    event.kind,
    event.network,
    event.endpoint,
    event.host,
    String(event.revision),
    event.actor,
    event.subject,
    event.method,
    event.object,
    event.cause,
    event.message,
  ];
}
