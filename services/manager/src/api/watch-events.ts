import { CausewayError, clip, eventKinds } from '@causeway/model';
import type { WatchEventsRequest, WatchEventsResponse } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import type { Event } from '@causeway/proto/gen/causeway/v1/types.js';
import type { CallContext } from '../call/context.ts';
import type { ApiContext } from './modules.ts';

/** Most events in a tail: all are collected before the first is sent. */
const mostTail = 10_000;

/** This event is made by the reading manager; it is never in the store. */
const gone = 'events.gone';

/**
 * Every manager answers. Ends when the caller leaves, or, without `follow`, after the events that are kept.
 * @throws CausewayError invalid-argument, shutting-down
 */
export async function* watchEvents(
  { modules: { events } }: ApiContext,
  request: WatchEventsRequest,
  { signal }: CallContext,
): AsyncGenerator<WatchEventsResponse, void> {
  checkKinds(request.kinds);
  checkTail(request);
  const since = Number(request.sinceMs);
  let from = request.fromSequence;
  if (request.tail > 0) {
    const tail = await events.last(request.tail, since, (event) => isSelected(event, request));
    for (const event of tail.events) yield { event };
    if (!request.follow) return;
    from = tail.next;
  }
  for await (const event of events.read({ from, since, follow: request.follow }, signal))
    if (isSelected(event, request)) yield { event };
  if (request.follow && !signal.aborted)
    throw new CausewayError('shutting-down', 'this manager is stopping: ask another');
}

/** Refuses unknown kinds: with a typing error the stream would have no events. @throws CausewayError invalid-argument */
function checkKinds(kinds: readonly string[]): void {
  const unknown = kinds.find((kind) => kind !== gone && !eventKinds.some((known) => known === kind));
  if (unknown === undefined) return;
  const message = `kinds: there is no event kind "${clip(unknown)}"; the kinds are ${eventKinds.join(', ')}`;
  throw new CausewayError('invalid-argument', message, { field: 'kinds', value: clip(unknown) });
}

/** @throws CausewayError invalid-argument */
function checkTail({ tail, fromSequence }: WatchEventsRequest): void {
  if (tail === 0) return;
  if (fromSequence !== 0n)
    throw new CausewayError('invalid-argument', 'tail and from_sequence exclude each other: use one of them', {
      field: 'tail',
    });
  if (tail <= mostTail) return;
  const message = `tail: ${tail} events are too many, the limit is ${mostTail}; from_sequence has no limit`;
  throw new CausewayError('invalid-argument', message, { field: 'tail', value: tail });
}

/** The event that says that events are missing is sent with every filter. */
function isSelected(event: Event, { kinds, network, host }: WatchEventsRequest): boolean {
  if (event.kind === gone) return true;
  const isOf = (filter: string, ...is: readonly string[]): boolean => filter === '' || is.includes(filter);
  const isOfKind = kinds.length === 0 || kinds.includes(event.kind);
  return isOfKind && isOf(network, event.network, event.networkId) && isOf(host, event.host);
}
