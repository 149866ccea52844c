import { once } from 'node:events';
import {
  Client,
  compressionAlgorithms,
  credentials,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
} from '@grpc/grpc-js';
import { afterEach, describe, expect, test } from 'vitest';
import { FrameReader } from './frame-reader.ts';

const path = '/test/Tell';
const bytes = (value: Uint8Array): Buffer => Buffer.from(value);

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

interface Told {
  /** What the reader took. */
  readonly got: string[];
  /** Messages that grpc-js has decoded itself. */
  decodedByOthers: number;
  reader: FrameReader<Buffer> | undefined;
}

/** A client's stream to a server that reads it. */
async function tell(options: object = {}) {
  const told: Told = { got: [], decodedByOthers: 0, reader: undefined };
  const server = new Server({ 'grpc.max_receive_message_length': 100_000 });
  const handler = (call: ServerDuplexStream<Buffer, Buffer>): void => {
    call.on('error', () => undefined);
    call.on('end', () => call.end());
    told.reader = new FrameReader(call, bytes, (message) => told.got.push(String(message)));
  };
  const requestDeserialize = (value: Buffer): Buffer => {
    told.decodedByOthers++;
    return value;
  };
  const codecs = { requestSerialize: bytes, requestDeserialize, responseSerialize: bytes, responseDeserialize: bytes };
  server.addService({ tell: { path, requestStream: true, responseStream: true, ...codecs } }, { tell: handler });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), options);
  cleanups.push(() => {
    client.close();
    server.forceShutdown();
  });
  const call = client.makeBidiStreamRequest<Buffer, Buffer>(path, bytes, bytes);
  call.on('error', () => undefined);
  return { told, call: call.resume() };
}

describe('a reader', () => {
  test('takes each message, and grpc-js decodes none: this version is as expected', async () => {
    const { told, call } = await tell();
    for (const message of ['one', '', 'x'.repeat(50_000), 'four']) call.write(Buffer.from(message));
    call.end();
    await once(call, 'end');
    expect(told.got).toEqual(['one', '', 'x'.repeat(50_000), 'four']);
    expect(told.decodedByOthers).toBe(0);
  });

  test('leaves a client that compresses to grpc-js', async () => {
    const { told, call } = await tell({ 'grpc.default_compression_algorithm': compressionAlgorithms.gzip });
    for (const message of ['one', 'two']) call.write(Buffer.from(message));
    call.end();
    await once(call, 'end');
    expect(told.got).toEqual(['one', 'two']);
    expect(told.decodedByOthers).toBe(2);
  });

  test('refuses a message that is too large', async () => {
    const { told, call } = await tell();
    call.write(Buffer.from('one'));
    call.write(Buffer.alloc(100_001));
    const [error] = (await once(call, 'error')) as [Error];
    expect(error).toMatchObject({ code: 8, details: 'Received message larger than max (100001 vs 100000)' });
    expect(told.got).toEqual(['one']);
  });

  test('slows a client down, and goes on', async () => {
    const { told, call } = await tell();
    call.write(Buffer.from('first'));
    await expect.poll(() => told.got).toEqual(['first']);
    told.reader?.pause();
    const flood = Array.from({ length: 40 }, (_, i) => `${i}`.padEnd(50_000));
    let sent = 0;
    for (const message of flood) call.write(Buffer.from(message), () => sent++);
    await expect.poll(() => sent).toBeGreaterThan(0);
    expect(sent).toBeLessThan(flood.length);
    told.reader?.resume();
    await expect.poll(() => told.got.length).toBe(1 + flood.length);
  });
});
