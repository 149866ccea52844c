import type { NetworkId, NodeId } from '@causeway/model';
import { type Clock, type Duration, type Log, Loop, milliseconds } from '@causeway/runtime';
import { FanOut, type FanOutPause } from './fan-out.ts';
import { memberships, type Publication } from './publisher.ts';
import type { Sessions } from './sessions.ts';
import type { Tables } from './steps.ts';

/** How often to look for room in the connections of agents that wait for room. Only while there are any. */
const roomPeriod = milliseconds(50);

/**
 * Most messages in one turn of the event loop. So a large network holds up other work, such as calls and answers of the store,
 * for some milliseconds only.
 */
export const mostAtOnce = 250;

export interface DeliveryParts {
  readonly tables: Tables;
  readonly sessions: Pick<Sessions, 'of' | 'step' | 'behind'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Sends the changes of networks to the agents of their hosts, when they are due and when the connections have room. */
export class Delivery {
  readonly #parts: DeliveryParts;
  readonly #fanOut: FanOut;
  /** Large networks whose changes are due. They are served one after the other, in several turns of the event loop. */
  readonly #large: NetworkId[] = [];
  readonly #due: Loop;
  readonly #room: Loop;

  constructor(parts: DeliveryParts, { pause }: { readonly pause: FanOutPause }) {
    this.#parts = parts;
    this.#fanOut = new FanOut(pause);
    this.#due = this.#loop((signal) => this.#serve(signal));
    this.#room = this.#loop((signal) => this.#useRoom(signal));
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#due.run(signal), this.#room.run(signal)]);
  }

  /** Sessions learn at once which networks their hosts have. The content follows when it is due. */
  publish(publications: readonly Publication[]): void {
    const { sessions, clock } = this.#parts;
    for (const publication of publications) {
      if (publication.kind === 'vanished') this.#fanOut.forget(publication.network);
      else this.#fanOut.changed(publication.table.id);
      for (const [node, event] of memberships(publication)) {
        const session = sessions.of(node);
        if (session !== undefined) sessions.step(session, event);
      }
    }
    this.#sendDue();
    if (this.#large.length > 0 || this.#fanOut.untilDue(clock.now()) !== undefined) this.#due.wake();
    this.lookForRoom();
  }

  /** To be called when an agent may have begun to wait for room. */
  lookForRoom(): void {
    if (this.#parts.sessions.behind.size > 0) this.#room.wake();
  }

  /** Sends the changes that are due, those of large networks excepted. */
  #sendDue(): void {
    const { tables, clock } = this.#parts;
    for (const network of this.#fanOut.due(clock.now())) {
      const hosts = tables.get(network)?.hosts;
      if (hosts !== undefined && hosts.size > mostAtOnce) {
        this.#large.push(network);
      } else {
        this.#send(network, hosts?.keys() ?? []);
        this.#fanOut.sent(network, hosts?.size ?? 0, clock.now());
      }
    }
  }

  /** Serves large networks. Returns the time until the next changes are due. */
  async #serve(signal: AbortSignal): Promise<Duration | undefined> {
    const { tables, clock } = this.#parts;
    this.#sendDue();
    for (let network = this.#large.shift(); network !== undefined; network = this.#large.shift()) {
      const hosts = [...(tables.get(network)?.hosts.keys() ?? [])];
      for (let at = 0; at < hosts.length && !signal.aborted; at += mostAtOnce) {
        this.#send(network, hosts.slice(at, at + mostAtOnce));
        await clock.yield();
        this.#sendDue();
      }
      this.#fanOut.sent(network, hosts.length, clock.now());
    }
    this.lookForRoom();
    return this.#fanOut.untilDue(clock.now());
  }

  /** Each agent gets what it does not have. A change that came meanwhile goes along, and later ones follow from there. */
  #send(network: NetworkId, hosts: Iterable<NodeId>): void {
    const { sessions } = this.#parts;
    const event = { kind: 'moved', network } as const;
    for (const node of hosts) {
      const session = sessions.of(node);
      if (session !== undefined) sessions.step(session, event);
    }
  }

  /** Gives agents what waits for room, as far as their connections have room. */
  async #useRoom(signal: AbortSignal): Promise<Duration | undefined> {
    const { sessions, clock } = this.#parts;
    if (sessions.behind.size === 0) return undefined;
    await clock.sleep(roomPeriod, signal);
    for (const session of [...sessions.behind]) sessions.step(session, { kind: 'room' });
    return sessions.behind.size === 0 ? undefined : milliseconds(0);
  }

  #loop(step: (signal: AbortSignal) => Promise<Duration | undefined>): Loop {
    const failed = (error: unknown): void => this.#parts.log.error('session.failed', { message: String(error) });
    return new Loop(this.#parts, { step, failed, retryAfter: roomPeriod });
  }
}
