import type { NodeId } from '@causeway/model';
import type { KeyReceipt } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { type Clock, type Duration, type Log, Loop, milliseconds } from '@causeway/runtime';
import { encodeKeyReceipts } from './encode.ts';
import type { Session } from './session.ts';

/**
 * Pause between two messages of receipts to one agent. What comes meanwhile goes along with the next one. So hosts that send one
 * receipt after the other, by mistake or on purpose, cost each of their peers 50 messages per second, and a rekey waits this long.
 */
const pause = milliseconds(20);

export interface KeyOutboxParts {
  readonly clock: Clock;
  readonly log: Log;
  /** Sends the agent what it does not know of its peers' keys. */
  readonly tellKeys: (session: Session) => void;
}

/** `keys`: the keys of peers may have changed. `receipts`: by sender. */
interface Owed {
  keys: boolean;
  readonly receipts: Map<NodeId, KeyReceipt>;
}

/**
 * What agents are owed of keys and receipts. They get it at once if their connection has room, and if the last receipts were sent
 * long enough ago. Otherwise it waits, and a later receipt of the same host takes the place of one that waits.
 */
export class KeyOutbox {
  readonly #parts: KeyOutboxParts;
  readonly #owed = new Map<Session, Owed>();
  /** When receipts were sent last (ms of the monotonic clock). */
  readonly #sentAt = new WeakMap<Session, number>();
  readonly #loop: Loop;

  constructor(parts: KeyOutboxParts) {
    this.#parts = parts;
    const step = (signal: AbortSignal): Promise<Duration | undefined> => this.#serveAll(signal);
    const failed = (error: unknown): void => parts.log.error('session.failed', { message: String(error) });
    this.#loop = new Loop(parts, { step, failed, retryAfter: pause });
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#loop.run(signal);
  }

  oweKeys(session: Session): void {
    this.#of(session).keys = true;
    this.#serve(session);
  }

  oweReceipt(session: Session, receipt: KeyReceipt): void {
    this.#of(session).receipts.set(receipt.nodeId as NodeId, receipt);
    this.#serve(session);
  }

  /** The agent gets nothing more about the host. */
  forget(session: Session, node: NodeId): void {
    this.#owed.get(session)?.receipts.delete(node);
  }

  #of(session: Session): Owed {
    const owed = this.#owed.get(session) ?? { keys: false, receipts: new Map() };
    this.#owed.set(session, owed);
    return owed;
  }

  #serve(session: Session): void {
    const owed = this.#owed.get(session);
    if (owed === undefined) return;
    if (session.hasRoom && owed.keys) {
      owed.keys = false;
      this.#parts.tellKeys(session);
    }
    const now = this.#parts.clock.now();
    const isDue = now - (this.#sentAt.get(session) ?? Number.NEGATIVE_INFINITY) >= pause;
    // Receipts come after the keys that they are about.
    if (session.hasRoom && isDue && !owed.keys && owed.receipts.size > 0) {
      this.#sentAt.set(session, now);
      session.send(encodeKeyReceipts([...owed.receipts.values()]));
      owed.receipts.clear();
    }
    const isDone = session.state.kind === 'closed' || (!owed.keys && owed.receipts.size === 0);
    if (isDone) this.#owed.delete(session);
    else this.#loop.wake();
  }

  async #serveAll(signal: AbortSignal): Promise<Duration | undefined> {
    if (this.#owed.size === 0) return undefined;
    await this.#parts.clock.sleep(pause, signal);
    for (const session of [...this.#owed.keys()]) this.#serve(session);
    return this.#owed.size === 0 ? undefined : milliseconds(0);
  }
}
