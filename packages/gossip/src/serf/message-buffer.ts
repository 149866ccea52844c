import type { LamportClock } from './lamport.ts';
import { bufferSize, maxPerTime } from './limits.ts';

/**
 * The messages of the last times of a clock, so that each is taken once: a message that is as old as those that are not
 * known any more is not taken either.
 */
export class MessageBuffer<Message> {
  /** Older messages are not taken: they are from before this node joined, or were taken before it was started again. */
  minTime = 0;
  readonly #clock: LamportClock;
  readonly #isSame: (a: Message, b: Message) => boolean;
  readonly #slots: ({ readonly time: number; readonly messages: Message[] } | undefined)[] = [];

  constructor(clock: LamportClock, isSame: (a: Message, b: Message) => boolean) {
    this.#clock = clock;
    this.#isSame = isSame;
  }

  /** Whether the message is new. Moves the clock past its time. */
  take(time: number, message: Message): boolean {
    this.#clock.witness(time);
    if (time < this.minTime || time + bufferSize < this.#clock.time) return false;
    const index = time % bufferSize;
    const slot = this.#slots[index];
    if (slot?.time !== time) {
      this.#slots[index] = { time, messages: [message] };
      return true;
    }
    if (slot.messages.length >= maxPerTime || slot.messages.some((each) => this.#isSame(each, message))) return false;
    slot.messages.push(message);
    return true;
  }

  /** What was taken and is still known. */
  get all(): readonly { readonly time: number; readonly messages: readonly Message[] }[] {
    const { time } = this.#clock;
    return this.#slots.filter((slot) => slot !== undefined).filter((slot) => slot.time + bufferSize >= time);
  }
}
