import { type ServerDuplexStream, type ServiceError, status } from '@grpc/grpc-js';
import { FrameCutter } from './frame-cutter.ts';

/** The part of grpc-js below a call (`BaseServerInterceptingCall`, 1.14). It is not public, so each use checks for it. */
interface Internals {
  readonly stream?: { pause?(): unknown; resume?(): unknown };
  readonly incomingEncoding?: string;
  readonly maxReceiveMessageSize?: number;
  handleDataFrame?(data: Buffer): void;
}

/**
 * The receiving side of a call. grpc-js pauses and resumes the HTTP/2 stream at each message, waits for a promise although the
 * message is not compressed, and puts an object stream behind it. After each change of a large network, each of its hosts
 * reports: there that was a fifth of the manager's work. If grpc-js is not as expected, or the client compresses, it reads as
 * usual.
 */
export class FrameReader<Message> {
  readonly #source: { pause(): unknown; resume(): unknown };

  /** `take` gets each message as it arrives. */
  constructor(
    call: ServerDuplexStream<Message, unknown>,
    decode: (bytes: Buffer) => Message,
    take: (message: Message) => void,
  ) {
    this.#source = call;
    call.on('data', take); // also begins to read
    const internals = (call as { call?: Internals }).call ?? {};
    const { stream, incomingEncoding, maxReceiveMessageSize, handleDataFrame } = internals;
    const [pause, resume] = [stream?.pause, stream?.resume];
    if (pause === undefined || resume === undefined || maxReceiveMessageSize === undefined) return;
    if (handleDataFrame === undefined || incomingEncoding !== 'identity') return;
    this.#source = { pause: () => pause.call(stream), resume: () => resume.call(stream) };
    const cutter = new FrameCutter(maxReceiveMessageSize);
    internals.handleDataFrame = (data) => {
      const cut = cutter.take(data);
      for (const bytes of cut.messages) take(decode(bytes));
      if (cut.tooLarge !== undefined) call.emit('error', tooLarge(cut.tooLarge, maxReceiveMessageSize));
    };
  }

  pause(): void {
    this.#source.pause();
  }

  resume(): void {
    this.#source.resume();
  }
}

function tooLarge(bytes: number, most: number): Partial<ServiceError> {
  const details = `Received message larger than max (${bytes} vs ${most})`;
  return Object.assign(new Error(details), { code: status.RESOURCE_EXHAUSTED, details });
}
