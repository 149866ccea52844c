import type { Bytes } from '../wire/bytes.ts';
import type { SerfContext } from './context.ts';
import type { Intents } from './intents.ts';
import { decodeSerf, encodeSerf } from './message.ts';
import type { Roster } from './roster.ts';
import type { UserEvents } from './user-events.ts';

/** What serf adds to each exchange of memberlist. */
export class StateExchange {
  readonly #context: SerfContext;
  readonly #roster: Roster;
  readonly #intents: Intents;
  readonly #events: UserEvents;

  constructor(context: SerfContext, roster: Roster, intents: Intents, events: UserEvents) {
    this.#context = context;
    this.#roster = roster;
    this.#intents = intents;
    this.#events = events;
  }

  /** What this node knows. */
  local(): Bytes {
    const { status, event, query } = this.#context.clocks;
    return encodeSerf({
      type: 'pushPull',
      lTime: status.time,
      statusLTimes: this.#roster.statusTimes,
      leftMembers: this.#roster.withStatus('left').map(({ name }) => name),
      eventLTime: event.time,
      events: this.#events.known,
      queryLTime: query.time,
    });
  }

  /** Takes what a peer knows. `ignoresOld`: its events are from before this node joined, and are not told. */
  merge(bytes: Bytes, ignoresOld: boolean): void {
    const message = decodeSerf(bytes);
    if (!message.ok || message.value.type !== 'pushPull') {
      this.#context.refuse(message.ok ? 'unknown-type' : message.why);
      return;
    }
    const state = message.value;
    const { status, event, query } = this.#context.clocks;
    // The clocks of the peer are the times of what the peer sends next, which no node has seen.
    status.witness(state.lTime - 1);
    event.witness(state.eventLTime - 1);
    query.witness(state.queryLTime - 1);
    this.#intents.merge(state);
    const { buffer } = this.#events;
    if (ignoresOld) buffer.minTime = Math.max(buffer.minTime, state.eventLTime);
    this.#events.merge(state);
  }
}
