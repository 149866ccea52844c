import { describe, expect, test } from 'vitest';
import { captured, capturedLayers } from '../testing/captured.ts';
import { hex } from '../testing/hex.ts';
import { printMessage } from '../testing/print.ts';
import { encodeCompound } from './compound.ts';
import { decodeDatagram, encodeDatagram } from './datagram.ts';
import { encodeMessage } from './message.ts';
import { type } from './message-type.ts';
import { encodeReply, encodeRequest, StreamReader } from './stream.ts';

/** Whether these are the bytes that Go writes for the values. */
function rewrite(kind: string, bytes: Uint8Array, layers: (typeof capturedLayers)['serf-plain']): Uint8Array {
  if (kind === 'udp') {
    const { messages } = decodeDatagram(bytes, layers);
    return encodeDatagram(encodeCompound(messages.map(encodeMessage)), layers, bytes[0] === type.checksum);
  }
  const message = new StreamReader(layers, kind === 'request' ? 'request' : 'reply').push(bytes);
  if (message?.ok !== true) throw new Error(`unreadable stream: ${hex(bytes)}`);
  return kind === 'request' ? encodeRequest(message.value, layers) : encodeReply(message.value, layers);
}

function read(name: 'serf-plain' | 'serf-sealed'): string {
  const layers = capturedLayers[name];
  const lines = captured(name).map(({ kind, bytes }) => {
    if (kind !== 'udp') {
      const message = new StreamReader(layers, kind).push(bytes);
      return `${kind}\n  ${message?.ok === true ? printMessage(message.value) : `refused ${message?.why}`}`;
    }
    const { messages, refused } = decodeDatagram(bytes, layers);
    return [kind, ...messages.map(printMessage), ...refused.map((why) => `refused ${why}`)].join('\n  ');
  });
  return `${lines.join('\n')}\n`;
}

describe.each(['serf-plain', 'serf-sealed'] as const)('packets of %s', (name) => {
  test('read as these messages, and none is refused', async () => {
    const text = read(name);
    expect(text).not.toContain('refused');
    await expect(text).toMatchFileSnapshot(`./golden/${name}.messages.txt`);
  });
});

test('messages of serf are written as the bytes that serf sent', () => {
  for (const { kind, bytes } of captured('serf-plain')) {
    expect(hex(rewrite(kind, bytes, capturedLayers['serf-plain']))).toBe(hex(bytes));
  }
});
