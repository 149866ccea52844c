import { type Clock, type Duration, type Log, Loop, milliseconds } from '@causeway/runtime';
import { FanOut, type FanOutPause } from './fan-out.ts';
import { memberships, type Publication } from './publisher.ts';
import type { Sessions } from './sessions.ts';
import type { Tables } from './steps.ts';

/** How often to look for room in the connections of agents that wait for room. Only while there are any. */
const roomPeriod = milliseconds(50);

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
  readonly #due: Loop;
  readonly #room: Loop;

  constructor(parts: DeliveryParts, { pause }: { readonly pause: FanOutPause }) {
    this.#parts = parts;
    this.#fanOut = new FanOut(pause);
    this.#due = this.#loop(async () => this.#sendDue());
    this.#room = this.#loop((signal) => this.#useRoom(signal));
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#due.run(signal), this.#room.run(signal)]);
  }

  /** Sessions learn at once which networks their hosts have. The content follows when it is due. */
  publish(publications: readonly Publication[]): void {
    const { sessions } = this.#parts;
    for (const publication of publications) {
      if (publication.kind === 'vanished') this.#fanOut.forget(publication.network);
      else this.#fanOut.changed(publication.table.id);
      for (const [node, event] of memberships(publication)) {
        const session = sessions.of(node);
        if (session !== undefined) sessions.step(session, event);
      }
    }
    if (this.#sendDue() !== undefined) this.#due.wake();
    this.lookForRoom();
  }

  /** To be called when an agent may have begun to wait for room. */
  lookForRoom(): void {
    if (this.#parts.sessions.behind.size > 0) this.#room.wake();
  }

  /** Returns the time until the next changes are due. */
  #sendDue(): Duration | undefined {
    const { tables, sessions, clock } = this.#parts;
    for (const network of this.#fanOut.due(clock.now())) {
      const hosts = tables.get(network)?.hosts;
      if (hosts === undefined) continue;
      const event = { kind: 'moved', network } as const;
      for (const node of hosts.keys()) {
        const session = sessions.of(node);
        if (session !== undefined) sessions.step(session, event);
      }
      this.#fanOut.sent(network, hosts.size, clock.now());
    }
    this.lookForRoom();
    return this.#fanOut.untilDue(clock.now());
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
