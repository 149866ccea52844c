import { expect, it } from 'vitest';
import { NLM_F_ACK } from './constants.ts';
import { MessageReader } from './reader.ts';
import { MessageWriter } from './writer.ts';

it('what is written is read again', () => {
  const writer = new MessageWriter();
  writer.reset(7);
  writer.begin(16, 0x400);
  const at = writer.struct(8);
  writer.put8(at, 10);
  writer.put16(at + 2, 300);
  writer.put32(at + 4, 70_000);
  writer.u8(1, 9);
  writer.u16be(2, 4789);
  writer.u32(3, 4_000_000_000);
  writer.string(4, 'eth0');
  writer.buffer.set([1, 2, 3], writer.attribute(5, 3));
  writer.nest(6, () => writer.u8(1, 1));
  writer.end();
  const reader = new MessageReader(writer.bytes);
  expect(reader.next()).toBe(true);
  expect([reader.type, reader.flags, reader.sequence]).toEqual([16, 0x401, 7]);
  expect([reader.u8(0), reader.u16(2), reader.u32(4), reader.i32(4)]).toEqual([10, 300, 70_000, 70_000]);
  const found: unknown[] = [];
  const attributes = reader.attributes(8);
  const readers = [
    () => attributes.u8(),
    () => attributes.u16be(),
    () => attributes.u32(),
    () => attributes.string(),
    () => [...attributes.bytes.subarray(attributes.value(3), attributes.value(3) + attributes.length)],
    () => {
      const nested = attributes.nested();
      return nested.next() && nested.u8();
    },
  ];
  while (attributes.next()) found.push(readers[attributes.type - 1]?.());
  expect(found).toEqual([9, 4789, 4_000_000_000, 'eth0', [1, 2, 3], 1]);
  expect(reader.next()).toBe(false);
});

it('several messages lie in one buffer, which grows', () => {
  const writer = new MessageWriter(16);
  writer.reset(100);
  for (let n = 0; n < 1000; n++) {
    writer.begin(28);
    writer.u32(1, n);
    writer.end();
  }
  writer.acknowledge();
  const reader = new MessageReader(writer.bytes);
  const found: unknown[] = [];
  while (reader.next()) {
    const attributes = reader.attributes(0);
    found.push([reader.sequence, reader.flags & NLM_F_ACK, attributes.next() && attributes.u32()]);
  }
  expect(found).toHaveLength(1000);
  expect(found[257]).toEqual([357, 0, 257]);
  expect(found[999]).toEqual([1099, NLM_F_ACK, 999]);
});

it('fields in network byte order, and of 64 bits', () => {
  const writer = new MessageWriter();
  writer.begin(16);
  const at = writer.struct(16);
  writer.put16be(at, 0x1193);
  writer.put32be(at + 4, 0x1100_0002);
  writer.put64(at + 8, 0x0102_0304_0506_0708n);
  writer.end();
  const reader = new MessageReader(writer.bytes);
  reader.next();
  expect([...reader.slice(0, 16)]).toEqual([0x11, 0x93, 0, 0, 0x11, 0, 0, 2, 8, 7, 6, 5, 4, 3, 2, 1]);
  expect(() => reader.slice(8, 9)).toThrow('ends before its field at 8');
});

it('a secret is gone after the messages were sent, and from a buffer that was too small', () => {
  const writer = new MessageWriter(24);
  const small = writer.buffer;
  writer.begin(16);
  writer.hasSecrets();
  writer.u32(1, 0x0707_0707);
  expect(small).toContain(7);
  writer.u32(2, 0x0707_0707);
  writer.end();
  const { buffer } = writer;
  expect(buffer).not.toBe(small);
  expect(small).not.toContain(7);
  writer.forgetSecrets();
  expect(buffer).not.toContain(7);
});

it('messages without a secret stay as they are until the next reset', () => {
  const writer = new MessageWriter();
  writer.begin(16);
  writer.u32(1, 7);
  writer.end();
  writer.forgetSecrets();
  expect(writer.bytes).toContain(7);
});
