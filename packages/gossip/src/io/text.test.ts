import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventStream } from './event-stream.ts';
import { formatIp, parseIp } from './ip.ts';
import { parseHostPort } from './options.ts';

test.each([
  ['10.0.0.1', '10.0.0.1'],
  ['::1', '0:0:0:0:0:0:0:1'],
  ['fe80::1%eth0', 'fe80:0:0:0:0:0:0:1'],
  ['::ffff:10.0.0.1', '10.0.0.1'],
  ['2001:db8::', '2001:db8:0:0:0:0:0:0'],
  ['localhost', undefined],
])('%s is read as %s', (text, printed) => {
  const bytes = parseIp(text);
  expect(bytes === undefined ? undefined : formatIp(bytes)).toBe(printed);
});

test('any address is read as it was printed', () => {
  const four = fc.uint8Array({ minLength: 4, maxLength: 4 });
  const sixteen = fc.uint8Array({ minLength: 16, maxLength: 16 });
  fc.assert(
    fc.property(fc.oneof(four, sixteen), (bytes) => {
      expect(parseIp(formatIp(bytes))).toEqual(bytes);
    }),
  );
});

test.each([
  ['host', 'host', 7946],
  ['host:80', 'host', 80],
  ['10.0.0.1:80', '10.0.0.1', 80],
  ['::1', '::1', 7946],
  ['[::1]:80', '::1', 80],
  ['[::1]', '::1', 7946],
])('%s is host %s and port %i', (text, host, port) => {
  expect(parseHostPort(text)).toEqual({ host, port });
});

test.each(['', ':80', 'host:', 'host:0', 'host:65536', 'host:80:90'])('"%s" is no address of a node', (text) => {
  expect(() => parseHostPort(text)).toThrow(RangeError);
});

test('a reader that is too slow loses the oldest events, and learns how many', async () => {
  const stream = new EventStream<number>(() => undefined);
  for (let i = 0; i < 5000; i++) stream.push(i);
  stream.end();
  const got: unknown[] = [];
  for await (const event of stream) got.push(event);
  expect([got.length, got[0], got[1], got.at(-1)]).toEqual([4097, { type: 'overflow', lost: 904 }, 904, 4999]);
});

test('a reader that stops is forgotten', async () => {
  let stopped = 0;
  const stream = new EventStream<number>(() => stopped++);
  stream.push(1);
  for await (const event of stream) {
    expect(event).toBe(1);
    break;
  }
  expect(stopped).toBe(1);
});
