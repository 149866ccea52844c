import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readAnswer } from './answer.ts';
import { NLM_F_ACK_TLVS, NLM_F_CAPPED, NLMSG_ERROR } from './constants.ts';
import { type AttributeReader, DecodeError, MessageReader } from './reader.ts';
import { MessageWriter } from './writer.ts';

/** Calls every reader on a datagram; only DecodeError is caught. */
function readAll(bytes: Uint8Array): void {
  try {
    const messages = new MessageReader(bytes);
    while (messages.next()) {
      if (messages.type === NLMSG_ERROR) readAnswer(messages);
      readAttributes(messages.attributes(4));
      for (const read of [() => messages.u8(3), () => messages.u16(2), () => messages.u32(4), () => messages.i32(8)]) {
        orDecodeError(read);
      }
    }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    expect(error.message.length).toBeLessThan(100);
  }
}

function readAttributes(attributes: AttributeReader): void {
  while (attributes.next()) {
    for (const read of [
      () => attributes.u8(),
      () => attributes.u16be(),
      () => attributes.u32(),
      () => attributes.string(),
      () => readAttributes(attributes.nested()),
    ]) {
      orDecodeError(read);
    }
  }
}

function orDecodeError(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
  }
}

/** One message with an attribute of each kind. */
function whole(): Uint8Array {
  const writer = new MessageWriter();
  writer.begin(16);
  writer.struct(4);
  writer.u8(1, 7);
  writer.u16be(2, 4789);
  writer.u32(3, 70_000);
  writer.string(4, 'vxlan0');
  writer.nest(5, () => writer.nest(6, () => writer.u8(1, 1)));
  writer.end();
  return writer.bytes.slice();
}

it('arbitrary bytes are read or refused, nothing else', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), readAll));
});

it('damaged and truncated messages are read or refused, nothing else', () => {
  const damage = fc.array(fc.tuple(fc.nat({ max: 200 }), fc.nat({ max: 255 })), { maxLength: 6 });
  fc.assert(
    fc.property(damage, fc.nat({ max: 200 }), (changes, cut) => {
      const message = whole();
      const bytes = message.slice(0, Math.max(0, message.length - (cut > 100 ? 0 : cut)));
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      readAll(bytes);
    }),
    { numRuns: 2000 },
  );
});

it.each([
  ['a header cut short', [1, 0, 0, 0], 'too few'],
  ['a length below the header', [15, ...zeros(15)], '15 bytes in 16'],
  ['a length beyond the end', [20, ...zeros(15)], '20 bytes in 16'],
])('%s is refused', (_, bytes, message) => {
  expect(() => new MessageReader(Uint8Array.from(bytes)).next()).toThrow(message);
});

it.each([
  ['shorter than its header', [3, 0, 1, 0]],
  ['longer than the message', [8, 0, 1, 0]],
])('an attribute %s is refused', (_, bytes) => {
  const reader = new MessageReader(Uint8Array.from([20, ...zeros(15), ...bytes]));
  reader.next();
  const attributes = reader.attributes(0);
  expect(() => attributes.next()).toThrow(DecodeError);
});

it("an answer's words are found after a request that is echoed whole or capped", () => {
  const text = [11, 0, 1, 0, ...Buffer.from('VNI in\0'), 0];
  const header = [16, 0, 0, 0, ...zeros(12)];
  for (const [flags, echoed] of [
    [NLM_F_ACK_TLVS | NLM_F_CAPPED, [40, 0, 0, 0, ...zeros(12)]],
    [NLM_F_ACK_TLVS, [...header]],
    [NLM_F_ACK_TLVS, [22, 0, 0, 0, ...zeros(12), ...zeros(8)]],
  ] as const) {
    const body = [0xef, 0xff, 0xff, 0xff, ...echoed, ...text];
    const bytes = Uint8Array.from([16 + body.length, 0, 0, 0, 2, 0, flags & 255, flags >> 8, ...zeros(8), ...body]);
    const reader = new MessageReader(bytes);
    reader.next();
    expect(readAnswer(reader)).toEqual({ errno: 17, message: 'VNI in' });
  }
});

function zeros(count: number): number[] {
  return Array<number>(count).fill(0);
}
