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
