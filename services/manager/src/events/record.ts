import type { Event } from '@causeway/proto/gen/causeway/v1/types.js';
import { decodeText, encodeText, type Json, type JsonObject, object } from '../store/records/codec.ts';
import type { KeyValue } from '../store/store.ts';
import type { EventInput, Origin } from './event-input.ts';

/** A longer message is cut, since events must not fill the store. */
const longestMessage = 1_000;

/** Most events in one record: a sequence has 8 bits for them beside the revision. */
export const mostInRecord = 256;

/** Encodes one event for its record. */
export function encodeEvent(event: EventInput, { actor, cause, subject, method }: Origin): string {
  const { message } = event;
  const cut = message.length > longestMessage ? `${message.slice(0, longestMessage - 1)}…` : message;
  return JSON.stringify({ actor, cause, subject, method, ...event, message: cut });
}

/** Encodes the events of one transaction as one value. `time`: Unix time, ms. */
export function encodeRecord(time: number, events: readonly string[]): Uint8Array {
  return encodeText(`{"time":${Math.trunc(time)},"events":[${events.join(',')}]}`);
}

/** Returns no events for a damaged record, so that it does not stop its readers. */
export function decodeRecord({ value, createRevision }: KeyValue): readonly Event[] {
  let json: JsonObject;
  try {
    json = object(JSON.parse(decodeText(value)) as Json);
  } catch {
    return [];
  }
  const { time, events } = json;
  if (typeof time !== 'number' || !Array.isArray(events)) return [];
  return (events as readonly Json[]).slice(0, mostInRecord).map((event, i) => ({
    sequence: sequenceOf(createRevision, i),
    revision: createRevision,
    timeMs: BigInt(time),
    ...fieldsOf(object(event)),
  }));
}

/** Sequence of an event: the record's revision, then the place in the record. It is the same on every manager, and rises. */
export function sequenceOf(revision: bigint, index = 0): bigint {
  return revision * BigInt(mostInRecord) + BigInt(index);
}

export function revisionOf(sequence: bigint): bigint {
  return sequence / BigInt(mostInRecord);
}

type EventFields = Omit<Event, 'sequence' | 'revision' | 'timeMs'>;

function fieldsOf(json: JsonObject): EventFields {
  const { addresses, count } = json;
  const word = (field: string): string => (typeof json[field] === 'string' ? json[field] : '');
  return {
    kind: word('kind'),
    network: word('network'),
    endpoint: word('endpoint'),
    host: word('host'),
    message: word('message'),
    actor: word('actor'),
    cause: word('cause'),
    addresses: Array.isArray(addresses) ? addresses.map(String) : [],
    networkId: word('networkId'),
    endpointId: word('endpointId'),
    purpose: word('purpose'),
    subject: word('subject'),
    method: word('method'),
    object: word('object'),
    refusal: word('refusal'),
    count: typeof count === 'number' ? count : 1,
  };
}
