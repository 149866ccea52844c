import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { captured, capturedLayers } from '../testing/captured.ts';
import { bytesOf, hex } from '../testing/hex.ts';
import { noBytes, utf8 } from '../wire/bytes.ts';
import { decodeDatagram } from '../wire/datagram.ts';
import { StreamReader } from '../wire/stream.ts';
import {
  decodeConflictResponse,
  decodeKeyRequest,
  decodeKeyResponse,
  encodeConflictResponse,
  encodeKeyRequest,
  encodeKeyResponse,
} from './answer.ts';
import { decodeSerf, encodeRelay, encodeSerf, type SerfMessage } from './message.ts';

const n12 = bytesOf('7f00000c');

// Sent by agents of serf 0.10.1.
test.each<[string, string, SerfMessage]>([
  ['a join', '0182a54c54696d6501a44e6f6465a36e3132', { type: 'join', lTime: 1, node: 'n12' }],
  [
    'a leave',
    '0083a54c54696d6503a44e6f6465a36e3132a55072756e65c2',
    { type: 'leave', lTime: 3, node: 'n12', prune: false },
  ],
  [
    'an event',
    `0384a24343c3a54c54696d6501a44e616d65a66465706c6f79a75061796c6f6164da012c${'61'.repeat(300)}`,
    { type: 'event', lTime: 1, name: 'deploy', payload: utf8('a'.repeat(300)), cC: true },
  ],
  [
    'a query',
    '048ba441646472a47f00000ca746696c74657273c0a5466c61677301a24944ce36ff2544a54c54696d6501a44e616d65a46c6f6164a75061796c6f6164a36e6f77a4506f7274cd1f0aab52656c6179466163746f7200aa536f757263654e6f6465a36e3132a754696d656f7574cebebc2000',
    {
      type: 'query',
      lTime: 1,
      iD: 0x36_ff_25_44,
      addr: n12,
      port: 7946,
      sourceNode: 'n12',
      filters: [],
      flags: 1,
      relayFactor: 0,
      timeout: 3_200_000_000,
      name: 'load',
      payload: utf8('now'),
    },
  ],
  [
    'an ack of a query',
    '0585a5466c61677301a446726f6da36e3131a24944ce36ff2544a54c54696d6501a75061796c6f6164c0',
    { type: 'queryResponse', lTime: 1, iD: 0x36_ff_25_44, from: 'n11', flags: 1, payload: noBytes },
  ],
])('%s is read, and written as serf wrote it', (_, digits, message) => {
  expect(decodeSerf(bytesOf(digits))).toEqual({ ok: true, value: message });
  expect(hex(encodeSerf(message as Exclude<SerfMessage, { type: 'relay' }>))).toBe(digits);
});

describe('all that agents sent', () => {
  const userStates = captured('serf-plain').flatMap(({ kind, bytes }) => {
    if (kind === 'udp') return [];
    const message = new StreamReader(capturedLayers['serf-plain'], kind).push(bytes);
    return message?.ok === true && message.value.type === 'pushPull' ? [message.value.userState] : [];
  });
  const payloads = captured('serf-plain').flatMap(({ kind, bytes }) => {
    if (kind !== 'udp') return [];
    const { messages } = decodeDatagram(bytes, capturedLayers['serf-plain']);
    return messages.flatMap((message) => (message.type === 'user' ? [message.payload] : []));
  });

  test('is read, and written as the same bytes', () => {
    expect(userStates.length).toBeGreaterThan(0);
    expect(payloads.length).toBeGreaterThan(0);
    for (const bytes of [...userStates, ...payloads]) {
      const message = decodeSerf(bytes);
      if (!message.ok || message.value.type === 'relay') throw new Error(`unreadable: ${hex(bytes)}`);
      expect(hex(encodeSerf(message.value))).toBe(hex(bytes));
    }
  });

  test('the state of an agent has its clocks, and a ring of 512 events', () => {
    const states = userStates.map((bytes) => decodeSerf(bytes));
    expect(states).toContainEqual({
      ok: true,
      value: {
        type: 'pushPull',
        lTime: 2,
        statusLTimes: new Map([
          ['n11', 0],
          ['n12', 1],
        ]),
        leftMembers: [],
        eventLTime: 1,
        events: new Array(512).fill(undefined),
        queryLTime: 1,
      },
    });
  });
});

test('events of a state are read and written', () => {
  const event = { name: 'deploy', payload: utf8('now') };
  const state = {
    type: 'pushPull' as const,
    lTime: 9,
    statusLTimes: new Map([['n1', 3]]),
    leftMembers: ['n1'],
    eventLTime: 7,
    events: [{ lTime: 6, events: [event, { ...event, name: 'again' }] }, undefined],
    queryLTime: 2 ** 40,
  };
  expect(decodeSerf(encodeSerf(state))).toEqual({ ok: true, value: state });
});

test('a relay has the whole message after its header', () => {
  const message = encodeSerf({ type: 'join', lTime: 1, node: 'n1' });
  const relay = { type: 'relay' as const, addr: n12, port: 7946, message };
  expect(decodeSerf(encodeRelay(relay, 'n12'))).toEqual({ ok: true, value: relay });
});

test.each<[string, string, string]>([
  ['nothing', '', 'truncated'],
  ['an unknown type', '0a80', 'unknown-type'],
  ['a type that only answers have', '0680', 'unknown-type'],
  ['a join without a name', '0181a54c54696d6501', 'malformed'],
  ['a time beyond all clocks', '0182a54c54696d65cfffffffffffffffffa44e6f6465a16e', 'malformed'],
  ['a query without an address', '0481a54c54696d6501', 'malformed'],
  ['a list that ends too soon', '0281ab4c6566744d656d62657273dd00004000', 'malformed'],
  ['a relay to nowhere', '0980', 'malformed'],
])('%s is refused', (_, digits, why) => {
  expect(decodeSerf(bytesOf(digits))).toEqual({ ok: false, why });
});

test('any bytes are read or refused', () => {
  const seeds = [
    encodeSerf({ type: 'join', lTime: 1, node: 'n1' }),
    encodeKeyRequest(new Uint8Array(16)),
    bytesOf('0286aa4576656e744c54696d6501a64576656e7473dc0200c0c0'),
  ];
  fc.assert(
    fc.property(fc.constantFrom(...seeds), fc.nat(40), fc.uint8Array({ maxLength: 20 }), (seed, at, noise) => {
      const input = Uint8Array.from([...seed.slice(0, at), ...noise, ...seed.slice(at)]);
      expect(typeof decodeSerf(input).ok).toBe('boolean');
      decodeKeyRequest(input);
      decodeKeyResponse(input);
      decodeConflictResponse(input);
    }),
  );
});

describe('what queries about keys and names carry', () => {
  test('a request has the key', () => {
    const key = new Uint8Array(16).fill(7);
    expect(hex(encodeKeyRequest(key))).toBe(`0781a34b6579b0${'07'.repeat(16)}`);
    expect(decodeKeyRequest(encodeKeyRequest(key))).toEqual(key);
    expect(decodeKeyRequest(noBytes)).toBeUndefined();
  });

  test('a response without keys has nil, as Go writes it', () => {
    const response = { result: true, message: '', keys: [], primaryKey: '' };
    const digits = '0884a44b657973c0a74d657373616765a0aa5072696d6172794b6579a0a6526573756c74c3';
    expect(hex(encodeKeyResponse(response))).toBe(digits);
    expect(decodeKeyResponse(bytesOf(digits))).toEqual(response);
  });

  test('a node that is not known is nil', () => {
    expect(hex(encodeConflictResponse(undefined))).toBe('06c0');
    expect(decodeConflictResponse(bytesOf('06c0'))?.name).toBe('');
  });
});
