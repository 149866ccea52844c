import { SerfCore } from '../serf/core.ts';
import { serfDefaults } from '../serf/profile.ts';
import { lan } from '../swim/profile.ts';
import { concat, noBytes, putUint32 } from '../wire/bytes.ts';
import { crc32 } from '../wire/crc32.ts';
import { decodeDatagram, type Layers } from '../wire/datagram.ts';
import { Keyring } from '../wire/keyring.ts';
import { maxInflatedDatagram } from '../wire/limits.ts';
import { inflate } from '../wire/lzw.ts';
import { type } from '../wire/message-type.ts';
import { encodeReply, StreamReader } from '../wire/stream.ts';
import { type Captured, captured } from './captured.ts';
import { NullAead } from './null-aead.ts';
import { SeededRandom } from './seeded-random.ts';

const plain: Layers = { label: noBytes, encryption: undefined, compresses: false };
const keyring = new Keyring(new Uint8Array(16));
const sealed: Layers = {
  ...plain,
  encryption: { aead: new NullAead(), keyring, version: 0, encryptsOutgoing: true, refusesPlaintext: false },
};

/** First bytes of msgpack with lengths and counts of 32 bits. */
const largest = [0xdb, 0xdd, 0xdf, 0xcf, 0xc6, 0xc9];
const outerTypes = [type.compound, type.compressed, type.checksum, type.encrypted, type.label];

export interface FuzzResult {
  /** What the decoders were given, all together. */
  inputs: number;
  /** Inputs of which something was read: a fuzzer whose inputs are all refused at once tests little. */
  accepted: number;
  refused: number;
  largestHeap: number;
}

/**
 * Feeds mutated packets of serf to each decoder and to a node: `runs` packets, six inputs each. Throws what these throw, and if
 * an output exceeds its cap.
 */
export function fuzz(runs: number, random: () => number): FuzzResult {
  const corpus = captured('serf-plain').map(({ kind, bytes }) => ({
    kind,
    bytes: kind === 'udp' ? bytes : inside(bytes),
  }));
  const below = (count: number): number => Math.floor(random() * count);
  const node = nodeUnderFire();
  const result: FuzzResult = { inputs: 0, accepted: 0, refused: 0, largestHeap: 0 };
  for (let run = 0; run < runs; run++) {
    const { kind, bytes } = corpus[below(corpus.length)] as Captured;
    const input = mutated(bytes, corpus, below);
    const isDatagram = readDatagram(input);
    const isStream = readStream(input, plain, below);
    readStream(input, sealed, below);
    if (kind === 'udp' ? isDatagram : isStream) result.accepted++;
    else result.refused++;
    node(kind, input, run);
    const output = inflate(input, 4096);
    if (output !== undefined && output.length > 4096) throw new Error('more bytes than the limit');
    result.inputs += 6;
    if (run % 1024 === 0) result.largestHeap = Math.max(result.largestHeap, process.memoryUsage().heapUsed);
  }
  return result;
}

/** A node of serf that gets each input as a datagram, as a request or as the answer to its own request, a millisecond apart. */
function nodeUnderFire(): (kind: Captured['kind'], bytes: Uint8Array, run: number) => void {
  const from = { addr: Uint8Array.of(127, 0, 0, 11), port: 7946 };
  const settings = {
    name: 'n13',
    address: { addr: Uint8Array.of(127, 0, 0, 13), port: 7946 },
    tags: {},
    serf: serfDefaults,
    restored: undefined,
    profile: lan,
    layers: plain,
  };
  const core = new SerfCore(settings, new SeededRandom(1), 0);
  core.step({ type: 'start' }, 0);
  return (kind, bytes, run) => {
    core.step({ type: 'timer' }, run);
    if (kind === 'udp') core.step({ type: 'datagram', from, bytes }, run);
    else if (kind === 'request') {
      const stream = 2 * run + 1;
      core.step({ type: 'accepted', stream, from }, run);
      core.step({ type: 'received', stream, bytes }, run);
      core.step({ type: 'closed', stream, why: 'closed' }, run);
    } else {
      for (const effect of core.step({ type: 'join', command: run, to: from }, run)) {
        if (effect.type !== 'connect') continue;
        core.step({ type: 'received', stream: effect.stream, bytes }, run);
        core.step({ type: 'closed', stream: effect.stream, why: 'closed' }, run);
      }
    }
  };
}

function readDatagram(input: Uint8Array): boolean {
  // A checksum that fits lets the mutations pass: without it, most end here.
  if (input[0] === type.checksum && input.length > 5) putUint32(input, 1, crc32(input.subarray(5)));
  const { messages, refused } = decodeDatagram(input, plain);
  const volume = messages.reduce((sum, each) => sum + ('payload' in each ? each.payload.length : 0), 0);
  if (volume > maxInflatedDatagram) throw new Error('more bytes than the limit');
  decodeDatagram(input, sealed);
  return messages.length > 0 || refused.length === 0;
}

function readStream(input: Uint8Array, layers: Layers, below: (count: number) => number): boolean {
  const reader = new StreamReader(layers, 'reply');
  for (let at = 0; at < input.length; ) {
    const end = at + 1 + below(700);
    const message = reader.push(input.subarray(at, end));
    if (message !== undefined) return message.ok;
    at = end;
  }
  return false;
}

/** The message inside the compression, so that mutations reach the decoder of messages. */
function inside(bytes: Uint8Array): Uint8Array {
  const message = new StreamReader(plain, 'reply').push(bytes);
  return message?.ok === true ? encodeReply(message.value, plain) : bytes;
}

function mutated(bytes: Uint8Array, corpus: readonly Captured[], below: (count: number) => number): Uint8Array {
  let input: Uint8Array = bytes.slice();
  for (let left = 1 + below(4); left > 0; left--) {
    const at = below(input.length + 1);
    const [before, after] = [input.subarray(0, at), input.subarray(at)];
    switch (below(7)) {
      case 0:
        if (at < input.length) input[at] = below(256);
        break;
      case 1:
        if (at < input.length) input[at] = (input[at] ?? 0) ^ (1 << below(8));
        break;
      case 2:
        input = before.slice();
        break;
      case 3:
        input = concat(before, after.subarray(below(8)));
        break;
      case 4: {
        const other = corpus[below(corpus.length)]?.bytes ?? noBytes;
        input = concat(before, other.subarray(below(other.length)), after);
        break;
      }
      case 5:
        // The first bytes with the largest lengths and counts.
        input = concat(before, Uint8Array.of(largest[below(6)] ?? 0, 0xff, 0xff, 0xff, below(256)), after.subarray(1));
        break;
      case 6:
        input = concat(Uint8Array.of(outerTypes[below(5)] ?? 0), input);
        break;
    }
  }
  return input.subarray(0, 65_507);
}
