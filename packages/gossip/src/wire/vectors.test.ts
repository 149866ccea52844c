import { expect, test } from 'vitest';
import { bytesOf, hex } from '../testing/hex.ts';
import { noBytes } from './bytes.ts';
import { decodeDatagram, encodeDatagram, type Layers } from './datagram.ts';
import { encodeMessage, type Message } from './message.ts';

const layers: Layers = { label: noBytes, encryption: undefined, compresses: false };
const vsn = bytesOf('010502020505');

// Written by Go's memberlist 0.5.0 (serf 0.10.1), or sent to it and understood.
test.each<[string, string, Message, boolean]>([
  [
    'a ping',
    '0085a44e6f6465a26e39a55365714e6f02aa536f7572636541646472a47f000015aa536f757263654e6f6465a5706c61696eaa536f75726365506f7274cd1f0a',
    {
      type: 'ping',
      seqNo: 2,
      node: 'n9',
      sourceAddr: bytesOf('7f000015'),
      sourcePort: 7946,
      sourceNode: 'plain',
      view: noBytes,
    },
    false,
  ],
  ['an ack', '0282a75061796c6f6164c0a55365714e6f02', { type: 'ack', seqNo: 2, payload: noBytes, view: noBytes }, false],
  [
    'an alive',
    '0486a441646472a47f000013ab496e6361726e6174696f6e01a44d657461abff81a4726f6c65a3776562a44e6f6465a26e39a4506f7274cd1f0aa356736ea6010502020505',
    {
      type: 'alive',
      incarnation: 1,
      node: 'n9',
      addr: bytesOf('7f000013'),
      port: 7946,
      meta: bytesOf('ff81a4726f6c65a3776562'),
      vsn,
    },
    false,
  ],
  [
    'a leave with a checksum',
    '0cd5150e3d0583a446726f6da5706c61696eab496e6361726e6174696f6e01a44e6f6465a5706c61696e',
    { type: 'dead', incarnation: 1, node: 'plain', from: 'plain' },
    true,
  ],
])('%s', (_, digits, message, checksum) => {
  expect(decodeDatagram(bytesOf(digits), layers)).toEqual({ messages: [message], refused: [] });
  expect(hex(encodeDatagram(encodeMessage(message), layers, checksum))).toBe(digits);
});

test.each<[string, string]>([
  ['a string in the 8-bit form', '0281a55365714e6f02'],
  ['unknown fields, at any depth', '0282a74d797374657279939101c081c301a55365714e6f02'],
  ['an integer in a longer form than needed', '0281a55365714e6fcf0000000000000002'],
  ['a signed integer that is not negative', '0281a55365714e6fd002'],
  ['bytes in the binary form', '0282a75061796c6f6164c400a55365714e6f02'],
  ['nil for a number', '0b81a55365714e6fc0'],
])('%s is read', (_, digits) => {
  expect(decodeDatagram(bytesOf(digits), layers).refused).toEqual([]);
});

const node = (more: string): string => `0486a441646472a47f000013ab496e6361726e6174696f6e01${more}`;

test.each<[string, string, string]>([
  ['nothing', '', 'truncated'],
  ['a type that does not exist', '0e80', 'unknown-type'],
  ['a message of streams', '0680', 'unknown-type'],
  ['a map that is cut off', '0282a55365714e6f02', 'malformed'],
  ['a text for a number', '0281a55365714e6fa132', 'malformed'],
  ['a number of more than 32 bits', '0281a55365714e6fcf0000000100000000', 'malformed'],
  ['a negative number', '0281a55365714e6fff', 'malformed'],
  ['an array of 4,294,967,295 values', '0282a14addffffffffa55365714e6f02', 'malformed'],
  ['a name that is not UTF-8', '0382a44e6f6465a1ffa446726f6da161', 'malformed'],
  ['a suspicion about no node', '0381a446726f6da161', 'malformed'],
  ['a request to ping port 0', '0184a44e6f6465a162a4506f727400a55365714e6f02a6546172676574a47f000001', 'malformed'],
  ['an alive without a name', node('a44d657461c0a44e6f6465a0a4506f7274cd1f0aa356736ea6010502020505'), 'malformed'],
  ['an alive without a port', node('a44d657461c0a44e6f6465a26e39a4506f727400a356736ea6010502020505'), 'malformed'],
  ['an alive with 5 versions', node('a44d657461c0a44e6f6465a26e39a4506f7274cd1f0aa356736ea50105020205'), 'malformed'],
  ['an alive with PMin 0', node('a44d657461c0a44e6f6465a26e39a4506f7274cd1f0aa356736ea6000502020505'), 'malformed'],
  [
    'an alive with PMin > PMax',
    node('a44d657461c0a44e6f6465a26e39a4506f7274cd1f0aa356736ea6030202020505'),
    'malformed',
  ],
  [
    'a wrong checksum',
    '0cd5150e3e0583a446726f6da5706c61696eab496e6361726e6174696f6e01a44e6f6465a5706c61696e',
    'bad-checksum',
  ],
  ['a checksum of nothing', '0c0000', 'truncated'],
  ['a checksum inside a compound message', '07010006 0c00000000 0b', 'bad-nesting'],
  ['a compound message inside a compound message', '07010002 0700', 'bad-nesting'],
  ['a compound message without its lengths', '07020001', 'truncated'],
  ['an unknown algorithm', '0982a4416c676f01a3427566a0', 'bad-compression'],
  ['compression of nothing', '0982a4416c676f00a3427566a0', 'bad-compression'],
  ['a label', 'f40161 0281a55365714e6f02', 'wrong-label'],
])('%s is refused', (_, digits, why) => {
  expect(decodeDatagram(bytesOf(digits), layers)).toEqual({ messages: [], refused: [why] });
});

test('the parts before a cut count', () => {
  const cut = bytesOf('07 02 000a 000a 0b81a55365714e6f02 00 0b81');
  expect(decodeDatagram(cut, layers).messages).toEqual([{ type: 'nack', seqNo: 2 }]);
});
