import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FrameCutter } from './frame-cutter.ts';

function framed(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

test('messages come out as they went in, however the network has cut them', () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 10 });
  const cuts = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(messages, cuts, (sent, sizes) => {
      const bytes = Buffer.concat(sent.map(framed));
      const cutter = new FrameCutter(-1);
      const got: Buffer[] = [];
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const end = at + (sizes[i % sizes.length] ?? 1);
        got.push(...cutter.take(bytes.subarray(at, end)).messages);
        at = end;
      }
      expect(got.map((each) => [...each])).toEqual(sent.map((each) => [...each]));
    }),
  );
});

test('a message that is too large is not waited for, and nothing comes after it', () => {
  const cutter = new FrameCutter(3);
  const [small, large] = [framed(Uint8Array.of(1, 2, 3)), framed(Uint8Array.of(1, 2, 3, 4))];
  const cut = cutter.take(Buffer.concat([small, large.subarray(0, 5)]));
  expect(cut.messages.map((each) => [...each])).toEqual([[1, 2, 3]]);
  expect(cut.tooLarge).toBe(4);
  expect(cutter.take(small)).toEqual({ messages: [] });
});
