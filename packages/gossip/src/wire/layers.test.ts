import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AesGcm } from '../io/aes-gcm.ts';
import { message, streamMessage } from '../testing/arbitraries.ts';
import { NullAead } from '../testing/null-aead.ts';
import { equalBytes, noBytes } from './bytes.ts';
import { encodeCompound } from './compound.ts';
import { datagramRoom, decodeDatagram, encodeDatagram, type Layers, Packet } from './datagram.ts';
import type { Encryption, EnvelopeVersion } from './envelope.ts';
import { Keyring } from './keyring.ts';
import { labelBytes } from './label.ts';
import { encodeMessage } from './message.ts';
import { encodeReply, encodeRequest, StreamReader } from './stream.ts';

const keyOf = (length: number, fill: number): Uint8Array => new Uint8Array(length).fill(fill);
const oldKey = keyOf(32, 1);
const newKey = keyOf(32, 2);
const encryption = (keyring: Keyring, more: Partial<Encryption> = {}): Encryption => ({
  aead: new AesGcm(),
  keyring,
  version: 1,
  encryptsOutgoing: true,
  refusesPlaintext: true,
  ...more,
});
const plain: Layers = { label: noBytes, encryption: undefined, compresses: false };
const sealed = (keyring: Keyring, more?: Partial<Encryption>): Layers => ({
  ...plain,
  encryption: encryption(keyring, more),
});

const layers: fc.Arbitrary<Layers> = fc.record({
  label: fc.string({ maxLength: 20 }).map(labelBytes),
  compresses: fc.boolean(),
  encryption: fc.option(
    fc
      .record({
        version: fc.constantFrom<EnvelopeVersion>(0, 1),
        length: fc.constantFrom(16, 24, 32),
        aead: fc.constantFrom(new AesGcm(), new NullAead()),
      })
      .map(({ version, length, aead }) => encryption(new Keyring(keyOf(length, 7)), { version, aead })),
    { nil: undefined },
  ),
});

test('a datagram reads as the messages that were written, in all layers', () => {
  const messages = fc.array(message, { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(messages, layers, fc.boolean(), (all, its, checksum) => {
      const datagram = encodeDatagram(encodeCompound(all.map(encodeMessage)), its, checksum);
      expect(decodeDatagram(datagram, its)).toEqual({ messages: all, refused: [] });
    }),
  );
});

test('a stream message reads as it was written, in all layers and in any pieces', () => {
  const pieces = fc.array(fc.integer({ min: 1, max: 4000 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(streamMessage, layers, pieces, fc.boolean(), (written, its, lengths, isRequest) => {
      const bytes = isRequest ? encodeRequest(written, its) : encodeReply(written, its);
      const reader = new StreamReader(its, isRequest ? 'request' : 'reply');
      let at = 0;
      for (let i = 0; ; i++) {
        const end = at + (lengths[i % lengths.length] ?? 1);
        const read = reader.push(bytes.subarray(at, end));
        at = end;
        expect(read === undefined).toBe(at < bytes.length);
        if (read === undefined) continue;
        expect(read).toEqual({ ok: true, value: written });
        return;
      }
    }),
  );
});

test('a packet that is full fits into the datagram, and one more byte does not fit', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 20 });
  fc.assert(
    fc.property(layers, sizes, fc.boolean(), fc.integer({ min: 500, max: 1500 }), (its, lengths, checksum, size) => {
      const packet = new Packet(datagramRoom(size, its));
      for (const length of lengths) packet.add(new Uint8Array(length));
      expect(packet.add(new Uint8Array(Math.max(0, packet.room + 1)))).toBe(false);
      if (packet.room >= 0) expect(packet.add(new Uint8Array(packet.room))).toBe(true);
      const written = encodeDatagram(encodeCompound(packet.parts), { ...its, compresses: false }, checksum);
      expect(written.length).toBeLessThanOrEqual(size);
    }),
  );
});

describe('keys', () => {
  const nack = encodeMessage({ type: 'nack', seqNo: 1 });
  const from = (keyring: Keyring): Uint8Array => encodeDatagram(nack, sealed(keyring), false);

  test('a rotation: install, use, remove', () => {
    const a = new Keyring(oldKey);
    const b = new Keyring(oldKey);
    const exchange = (): string[] =>
      [
        [a, b],
        [b, a],
      ].flatMap(([sender, receiver]) =>
        sender && receiver ? decodeDatagram(from(sender), sealed(receiver)).refused : [],
      );
    expect(a.use(newKey)).toBe('unknown-key');
    a.install(newKey);
    a.install(newKey);
    expect([exchange(), a.keys.length]).toEqual([[], 2]);
    b.install(newKey);
    expect(a.use(newKey)).toBe('used');
    expect([exchange(), a.primary]).toEqual([[], newKey]);
    b.use(newKey);
    expect(a.remove(newKey)).toBe('is-primary');
    expect(a.remove(oldKey)).toBe('removed');
    expect(exchange()).toEqual([]);
    const late = new Keyring(oldKey);
    expect(decodeDatagram(from(late), sealed(a)).refused).toEqual(['no-key-opens']);
  });

  test.each([0, 15, 17, 31, 33])('a key of %i bytes is refused', (length) => {
    expect(() => new Keyring(keyOf(length, 1))).toThrow(RangeError);
  });
});

describe('what is not accepted', () => {
  const ring = new Keyring(oldKey);
  const nack = encodeMessage({ type: 'nack', seqNo: 1 });
  const bare = encodeDatagram(nack, plain, false);
  const labelled = (label: string): Layers => ({ ...sealed(ring), label: labelBytes(label) });

  test.each<[string, Uint8Array, Layers, string[]]>([
    ['plain text where the cluster encrypts', bare, sealed(ring), ['bad-envelope']],
    ['plain text while the cluster changes to encryption', bare, sealed(ring, { refusesPlaintext: false }), []],
    [
      'sealed bytes while the cluster changes to encryption',
      encodeDatagram(nack, sealed(ring), false),
      sealed(ring, { refusesPlaintext: false, encryptsOutgoing: false }),
      [],
    ],
    ['another label', encodeDatagram(nack, labelled('a'), false), labelled('b'), ['wrong-label']],
    ['no label', encodeDatagram(nack, sealed(ring), false), labelled('b'), ['wrong-label']],
    [
      'a label that was put in front of sealed bytes',
      Uint8Array.of(244, 1, 98, ...encodeDatagram(nack, sealed(ring), false)),
      labelled('b'),
      ['no-key-opens'],
    ],
    ['an unknown envelope', encodeDatagram(nack, sealed(ring), false).fill(2, 0, 1), sealed(ring), ['bad-envelope']],
  ])('%s', (_, datagram, its, refused) => {
    expect(decodeDatagram(datagram, its).refused).toEqual(refused);
  });

  test('an envelope in which one bit changed', () => {
    const good = encodeDatagram(nack, labelled('a'), false);
    fc.assert(
      fc.property(fc.nat(good.length * 8 - 1), (bit) => {
        const bad = good.slice();
        bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(decodeDatagram(bad, labelled('a')).messages).toEqual([]);
      }),
    );
  });

  test('plain text on a stream where the cluster encrypts', () => {
    const written = encodeRequest({ type: 'error', error: 'no' }, plain);
    expect(new StreamReader(sealed(ring), 'request').push(written)).toEqual({ ok: false, why: 'plaintext' });
  });

  test.each<[string, number[], string]>([
    ['a type that streams do not have', [4], 'unknown-type'],
    ['a label where the cluster has none', [244, 1], 'wrong-label'],
    ['an envelope of 4 GiB', [10, 255, 255, 255, 255], 'too-long'],
    ['a push/pull of 20,001 nodes', [6, 0x81, 0xa5, ...Buffer.from('Nodes'), 0xcd, 0x4e, 0x21], 'malformed'],
    ['a user message of 4 GiB', [8, 0x81, 0xaa, ...Buffer.from('UserMsgLen'), 0xce, 255, 255, 255, 255], 'malformed'],
    ['a byte that msgpack does not use', [0, 0xc1], 'malformed'],
  ])('a stream with %s', (_, bytes, why) => {
    expect(new StreamReader(plain, 'request').push(Uint8Array.from(bytes))).toEqual({ ok: false, why });
  });

  test('entries of a push/pull that no correct node sends; the others are read', () => {
    const node = {
      name: 'good',
      addr: keyOf(4, 9),
      port: 7946,
      meta: noBytes,
      incarnation: 1,
      state: 'alive',
      vsn: Uint8Array.of(1, 5, 2, 0, 0, 0),
    } as const;
    const nodes = [{ ...node, addr: keyOf(5, 9) }, node, { ...node, vsn: noBytes }];
    const written = encodeRequest({ type: 'pushPull', join: true, nodes, userState: noBytes }, plain);
    const read = new StreamReader(plain, 'request').push(written);
    expect(read).toMatchObject({ ok: true, value: { nodes: [node] } });
  });
});

test('a message longer than the cap is refused while it arrives', () => {
  const reader = new StreamReader(plain, 'request');
  const piece = new Uint8Array(1024 * 1024).fill(0xa0);
  expect(reader.push(Uint8Array.of(9, 0xdf, 255, 255, 255, 255))).toBeUndefined();
  const results = Array.from({ length: 20 }, () => reader.push(piece));
  expect(results.filter((each) => each !== undefined)).toEqual([{ ok: false, why: 'too-long' }]);
});

test('the real Aead and its twin have the same lengths', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (plaintext) => {
      const all = [new AesGcm(), new NullAead()].map((aead) => {
        const box = aead.seal(oldKey, plaintext, noBytes);
        const opened = aead.open(oldKey, box, noBytes) ?? Uint8Array.of(255);
        expect(aead.open(newKey, box, noBytes)).toBeUndefined();
        expect(aead.open(oldKey, box.subarray(0, 27), noBytes)).toBeUndefined();
        return [box.length, equalBytes(opened, plaintext)];
      });
      expect(all[0]).toEqual(all[1]);
      expect(all[0]?.[1]).toBe(true);
    }),
  );
});
