import { Client, credentials, Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FrameStream } from './frame-stream.ts';

/** A call whose HTTP/2 stream keeps what it is given. */
function callOf(written: Buffer[], internals: object = {}): ServerDuplexStream<unknown, Uint8Array> {
  const call = {
    ...{ writableEnded: false, destroyed: false },
    write: (message: Uint8Array) => void written.push(Buffer.from(message)),
    call: {
      serializeMessage: (_message: Uint8Array): Buffer => Buffer.from('copied'),
      sendMessage(message: Uint8Array, done: () => void) {
        written.push(this.serializeMessage(message));
        done();
      },
      ...internals,
    },
  };
  return call as unknown as ServerDuplexStream<unknown, Uint8Array>;
}

const message = Uint8Array.of(7, 8, 9);

describe('a message for several calls', () => {
  test('is framed once, and every call writes the same bytes', () => {
    const written: Buffer[] = [];
    let taken = 0;
    for (let i = 0; i < 3; i++) new FrameStream(callOf(written)).write(message, () => taken++);
    expect([...(written[0] ?? [])]).toEqual([0, 0, 0, 0, 3, 7, 8, 9]);
    expect(new Set(written).size).toBe(1);
    expect(taken).toBe(3);
  });

  test('goes through grpc-js as usual when grpc-js is not as expected', () => {
    const written: Buffer[] = [];
    new FrameStream(callOf(written, { sendMessage: undefined })).write(message, () => undefined);
    expect(written.map((bytes) => [...bytes])).toEqual([[7, 8, 9]]);
  });

  test('is dropped by a call that has ended', () => {
    const written: Buffer[] = [];
    const call = Object.assign(callOf(written), { writableEnded: true });
    new FrameStream(call).write(message, () => undefined);
    expect(written).toEqual([]);
  });
});

/** A call whose connection takes what it got when `take` is called. */
function slowCall() {
  const got: { readonly bytes: Buffer; readonly done: () => void }[] = [];
  const close = vi.fn();
  const sendMessage = (bytes: Buffer, done: () => void): void => void got.push({ bytes, done });
  const call = callOf([], { sendMessage, stream: { closed: false, close } });
  const sizes: number[] = [];
  const text: Buffer[] = [];
  const take = (): number => {
    const [next] = got.splice(0, 1);
    if (next === undefined) return 0;
    sizes.push(next.bytes.length);
    text.push(next.bytes);
    next.done();
    return next.bytes.length;
  };
  return { call, got, sizes, take, text, close };
}

describe('a connection', () => {
  test('gets a large message in pieces, and what follows it in order', () => {
    const { call, got, sizes, take, text } = slowCall();
    const stream = new FrameStream(call);
    const done: string[] = [];
    stream.write(new Uint8Array(20_000).fill(1), () => done.push('large'));
    stream.write(message, () => done.push('small'));
    stream.end(() => done.push('end'));
    expect(got.map(({ bytes }) => bytes.length)).toEqual([8_192]);
    while (take() > 0);
    expect(sizes).toEqual([8_192, 8_192, 3_621, 8]);
    expect(done).toEqual(['end', 'large', 'small']);
    expect(Buffer.concat(text).subarray(-9)).toEqual(Buffer.from([1, 0, 0, 0, 0, 3, 7, 8, 9]));
  });

  test('gets small messages together', () => {
    const { call, got } = slowCall();
    const stream = new FrameStream(call);
    for (let i = 0; i < 3; i++) stream.write(message, () => undefined);
    expect(got).toHaveLength(3);
  });

  test('without messages ends at once', () => {
    let isEnded = false;
    new FrameStream(slowCall().call).end(() => {
      isEnded = true;
    });
    expect(isEnded).toBe(true);
  });
});

describe('a stream that ends', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function ending(size: number) {
    const slow = slowCall();
    const end = vi.fn();
    const stream = new FrameStream(slow.call);
    stream.write(new Uint8Array(size), () => undefined);
    stream.end(end);
    return { ...slow, end };
  }

  test('is reset when the client does not close its half', () => {
    const { close, end } = ending(100);
    expect(end).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(1_999);
    expect(close).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(close).toHaveBeenCalledOnce();
  });

  test('is not cut while a slow client takes what was sent before', () => {
    const { take, close, end } = ending(100_000);
    while (take() > 0) if (end.mock.calls.length === 0) vi.advanceTimersByTime(3_000);
    expect(end).toHaveBeenCalledOnce();
    expect(close).not.toHaveBeenCalled();
    vi.advanceTimersByTime(2_000);
    expect(close).toHaveBeenCalledOnce();
  });

  test('is reset in bounded time when the client takes nothing', () => {
    const { close, end } = ending(100_000);
    vi.advanceTimersByTime(60_000);
    expect(close).toHaveBeenCalledOnce();
    expect(end).not.toHaveBeenCalled();
  });
});

test('this version of grpc-js is as expected: a client gets the message, and grpc-js did not frame it', async () => {
  const bytes = (value: Uint8Array): Buffer => Buffer.from(value);
  const path = '/test/Follow';
  const server = new Server();
  let framedByOthers = 0;
  const follow = (call: ServerDuplexStream<Buffer, Uint8Array>): void => {
    new FrameStream(call).write(message, () => call.end());
  };
  const responseSerialize = (value: Uint8Array): Buffer => {
    framedByOthers++;
    return bytes(value);
  };
  const stream = { path, requestStream: true, responseStream: true } as const;
  const codecs = { requestSerialize: bytes, requestDeserialize: bytes, responseSerialize, responseDeserialize: bytes };
  server.addService({ follow: { ...stream, ...codecs } }, { follow });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const received: Buffer[] = [];
  const call = client.makeBidiStreamRequest<Buffer, Buffer>(path, bytes, bytes);
  call.end();
  for await (const response of call) received.push(response as Buffer);
  client.close();
  server.forceShutdown();
  expect(received.map((response) => [...response])).toEqual([[7, 8, 9]]);
  expect(framedByOthers).toBe(0);
});
