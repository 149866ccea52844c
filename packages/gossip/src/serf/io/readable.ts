import type { Overflow } from '../../io/event-stream.ts';
import { formatIp } from '../../io/ip.ts';
import { type NodeAddress, type Readable, readableEvent } from '../../io/readable.ts';
import type { Bytes } from '../../wire/bytes.ts';
import type { EventBelow, QueryKey, SerfEvent } from '../effect.ts';
import type { SerfMember } from '../roster.ts';

/** What is known of a node. */
export interface SerfNode extends NodeAddress, Pick<SerfMember, 'name' | 'tags' | 'status' | 'vsn'> {}

type OfType<Type extends SerfEvent['type']> = Extract<SerfEvent, { readonly type: Type }>;

/** Nodes joined, have other tags, left, failed, or are forgotten. */
export interface MembersEvent {
  readonly type: 'join' | 'update' | 'leave' | 'failed' | 'reap';
  readonly members: readonly SerfNode[];
}

/** A node asks all nodes something. */
export interface QueryEvent extends Pick<OfType<'query'>, 'type' | 'name' | 'payload' | 'from' | 'timeout'> {
  /** Answers, once, in the next `timeout` milliseconds. The whole answer has at most 1,024 bytes. */
  respond(payload: Bytes): Promise<void>;
}

/** What a reader of events gets. */
export type SerfNodeEvent =
  | Overflow
  | MembersEvent
  | QueryEvent
  | OfType<'user' | 'keys' | 'nameLost'>
  | Readable<EventBelow>
  /** The snapshot could not be written. */
  | { readonly type: 'snapshotFailed'; readonly why: string };

export function readableMember({ name, addr, port, tags, status, vsn }: SerfMember): SerfNode {
  return { name, address: formatIp(addr), port, tags, status, vsn };
}

export function readableSerfEvent(
  event: SerfEvent,
  respond: (query: QueryKey, payload: Bytes) => Promise<void>,
): SerfNodeEvent {
  switch (event.type) {
    case 'join':
    case 'update':
    case 'leave':
    case 'failed':
    case 'reap':
      return { type: event.type, members: event.members.map(readableMember) };
    case 'query': {
      const { key, ...rest } = event;
      return { ...rest, respond: (payload) => respond(key, payload) };
    }
    case 'user':
    case 'keys':
    case 'nameLost':
      return event;
    case 'suspect':
    case 'refuted':
    case 'conflict':
    case 'udpBlocked':
    case 'refused':
    case 'stalled':
    case 'exchangeFailed':
      return readableEvent(event) as Readable<typeof event>;
  }
}
