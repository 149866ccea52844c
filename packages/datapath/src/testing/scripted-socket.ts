import { type Encode, KernelError, MessageReader, MessageWriter } from '@causeway/netlink';
import type { Refused, Requests } from '../kinds/kind.ts';

/** The answer to a request: messages, or the errno of a refusal. */
export type Answer = readonly Encode[] | string;

/** A netlink socket that answers as its script says, and keeps the requests as bytes. For decisions about messages. */
export class ScriptedSocket implements Requests {
  /** The requests so far. */
  readonly requests: Uint8Array[] = [];
  readonly #answers: Answer[];

  /** `answers`: in the order of the requests; further requests succeed without an answer. */
  constructor(...answers: readonly Answer[]) {
    this.#answers = [...answers];
  }

  request(encode: Encode, visit: (message: MessageReader) => void = () => undefined): void {
    this.requests.push(bytesOf([encode]));
    const answer = this.#answers.shift() ?? [];
    if (typeof answer === 'string') throw new KernelError(answer, '');
    const messages = new MessageReader(bytesOf(answer));
    while (messages.next()) visit(messages);
  }

  batch(
    messages: readonly Encode[],
    encode: (to: MessageWriter, message: Encode) => void,
    visit: (message: MessageReader, index: number) => void = () => undefined,
  ): ReadonlyMap<number, Refused> {
    const refused = new Map<number, Refused>();
    for (const [index, each] of messages.entries()) {
      try {
        this.request(
          (to) => encode(to, each),
          (message) => visit(message, index),
        );
      } catch (error) {
        if (!(error instanceof KernelError)) throw error;
        refused.set(index, { errno: error.errno, message: error.detail });
      }
    }
    return refused;
  }

  transaction(encode: Encode): void {
    this.request(encode);
  }

  async dump<Found>(
    encode: Encode,
    empty: () => Found,
    add: (found: Found, message: MessageReader) => void,
  ): Promise<Found> {
    const found = empty();
    this.request(encode, (message) => add(found, message));
    return found;
  }
}

/** The bytes of these messages, one after the other. */
export function bytesOf(messages: readonly Encode[]): Uint8Array {
  const writer = new MessageWriter();
  for (const encode of messages) {
    encode(writer);
  }
  return writer.bytes.slice();
}
