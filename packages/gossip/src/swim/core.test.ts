import { describe, expect, test } from 'vitest';
import { NullAead } from '../testing/null-aead.ts';
import { printMessage } from '../testing/print.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { noBytes, utf8 } from '../wire/bytes.ts';
import { encodeCompound } from '../wire/compound.ts';
import { decodeDatagram, encodeDatagram, type Layers } from '../wire/datagram.ts';
import { Keyring } from '../wire/keyring.ts';
import { type Alive, encodeMessage, type Message } from '../wire/message.ts';
import { encodeReply, encodeRequest, type StreamMessage, StreamReader } from '../wire/stream.ts';
import { Core } from './core.ts';
import type { Delegate } from './delegate.ts';
import type { Effect, Input } from './effect.ts';
import { lan } from './profile.ts';

const layers: Layers = { label: noBytes, encryption: undefined, compresses: false };
const vsn = Uint8Array.of(1, 5, 2, 0, 0, 0);
const at = (last: number) => ({ addr: Uint8Array.of(10, 0, 0, last), port: 7946 });

function alive(node: string, last: number, more: Partial<Alive> = {}): Alive {
  return { type: 'alive', node, incarnation: 1, ...at(last), meta: noBytes, vsn, ...more };
}

/** A core whose effects are printed: one line each. News that only rides along is left out. */
class Script {
  readonly core: Core;
  now = 0;

  readonly settings = {
    name: 'me',
    address: at(1),
    meta: noBytes,
    delegateVersions: { min: 0, max: 0, current: 0 },
    layers,
    profile: lan,
  };

  constructor(delegate: Delegate = {}) {
    this.core = new Core(this.settings, new SeededRandom(1), delegate, 0);
  }

  give(input: Input): readonly string[] {
    return this.core.step(input, this.now).flatMap((effect) => this.#print(effect));
  }

  hear(from: number, ...messages: readonly Message[]): readonly string[] {
    const bytes = encodeDatagram(encodeCompound(messages.map(encodeMessage)), layers, true);
    return this.give({ type: 'datagram', from: at(from), bytes });
  }

  request(stream: number, message: StreamMessage, from = 2): readonly string[] {
    const opened = this.give({ type: 'accepted', stream, from: at(from) });
    return [...opened, ...this.give({ type: 'received', stream, bytes: encodeRequest(message, layers) })];
  }

  /** Lets time pass; each timer fires when it is due. */
  pass(span: number): readonly string[] {
    const end = this.now + span;
    const lines: string[] = [];
    for (let next = this.core.nextWake; next !== undefined && next <= end; next = this.core.nextWake) {
      this.now = Math.max(this.now, next);
      lines.push(...this.give({ type: 'timer' }));
    }
    this.now = end;
    return lines;
  }

  #print(effect: Effect): readonly string[] {
    switch (effect.type) {
      case 'datagram': {
        const all = decodeDatagram(effect.bytes, layers).messages.filter(
          ({ type }) => !/alive|suspect|dead/.test(type),
        );
        return all.map((message) => `to ${effect.to.addr[3]}: ${withoutView(printMessage(message))}`);
      }
      case 'connect':
      case 'reply': {
        const reader = new StreamReader(layers, effect.type === 'connect' ? 'request' : 'reply');
        const read = effect.bytes.length === 0 ? undefined : reader.push(effect.bytes);
        return [`${effect.type} ${effect.stream}: ${read?.ok === true ? printMessage(read.value) : 'end'}`];
      }
      case 'close':
        return [`close ${effect.stream}`];
      case 'settled':
        return [`settled ${effect.command}: ${effect.error ?? 'done'}`];
      case 'event':
        return [`${effect.event.type} ${'member' in effect.event ? effect.event.member.name : ''}`.trim()];
    }
  }
}

/** A view is a hash, which says nothing to readers. */
function withoutView(line: string): string {
  return line.replace(/ view=[0-9a-f]+/, '');
}

const source = { sourceAddr: noBytes, sourcePort: 0, sourceNode: '', view: noBytes };

describe('pings', () => {
  test.each<[string, Partial<Message & { type: 'ping' }>, readonly string[]]>([
    ['for this node are answered to where they came from', {}, ['to 2: ack payload=706179 seqNo=7']],
    ['for no name are answered', { node: '' }, ['to 2: ack payload=706179 seqNo=7']],
    ['for another name are not answered', { node: 'other' }, []],
    [
      'with a source are answered there',
      { sourceAddr: at(9).addr, sourcePort: 1 },
      ['to 9: ack payload=706179 seqNo=7'],
    ],
    [
      'with half a source are answered to where they came from',
      { sourceAddr: at(9).addr },
      ['to 2: ack payload=706179 seqNo=7'],
    ],
  ])('%s', (_, more, lines) => {
    const script = new Script({ ackPayload: () => utf8('pay') });
    expect(script.hear(2, { type: 'ping', seqNo: 7, node: 'me', ...source, ...more })).toEqual(lines);
  });

  test('by TCP are answered on their stream', () => {
    const ping = { type: 'ping', seqNo: 7, node: 'me', ...source } as const;
    expect(new Script().request(1, ping)).toEqual(['reply 1: ack payload=- seqNo=7']);
    expect(new Script().request(1, { ...ping, node: 'other' })).toEqual(['close 1']);
  });
});

describe('a ping for another node', () => {
  const request = {
    type: 'indirectPing',
    seqNo: 70,
    target: at(3).addr,
    port: 7946,
    node: 'c',
    nack: true,
    sourceAddr: noBytes,
    sourcePort: 0,
    sourceNode: '',
  } as const;
  const ping = 'to 3: ping node=c seqNo=1 sourceAddr=0a000001 sourceNode=me sourcePort=7946';

  test('its ack is passed on, and comes too late after the timeout', () => {
    const script = new Script();
    expect(script.hear(2, request)).toEqual([ping]);
    expect(script.pass(499)).toEqual([]);
    expect(script.hear(3, { type: 'ack', seqNo: 1, payload: utf8('x'), view: noBytes })).toEqual([
      'to 2: ack payload=- seqNo=70',
    ]);
    expect(script.hear(3, { type: 'ack', seqNo: 1, payload: noBytes, view: noBytes })).toEqual([]);
    expect(script.pass(1000)).toEqual([]);
  });

  test('silence is reported if that was asked for', () => {
    const script = new Script();
    script.hear(2, request);
    expect(script.pass(500)).toEqual(['to 2: nack seqNo=70']);
    expect(script.hear(3, { type: 'ack', seqNo: 1, payload: noBytes, view: noBytes })).toEqual([]);
    expect(script.hear(2, { ...request, nack: false })).toEqual([ping.replace('seqNo=1', 'seqNo=2')]);
    expect(script.pass(1000)).toEqual([]);
  });
});

describe('a probe', () => {
  const started = (delegate?: Delegate): Script => {
    const script = new Script(delegate);
    script.give({ type: 'start' });
    script.hear(2, alive('b', 2), alive('c', 3));
    return script;
  };
  /** The node that is pinged first, and the number of the ping. */
  const first = (script: Script): { peer: number; other: number; seqNo: number } => {
    const lines = script.pass(1000);
    const [, peer = '', seqNo = ''] =
      /^to (\d): ping .* seqNo=(\d+)/m.exec(lines.join('\n').replace(/node=\w /g, 'node ')) ?? [];
    return { peer: Number(peer), other: 5 - Number(peer), seqNo: Number(seqNo) };
  };

  test('that is answered in time gives the round trip', () => {
    const trips: string[] = [];
    const script = started({
      pingCompleted: ({ name }, span, payload) => trips.push(`${name} ${span} ${payload.length}`),
    });
    const { peer, seqNo } = first(script);
    script.hear(peer, { type: 'ack', seqNo, payload: utf8('pay'), view: noBytes });
    expect(trips).toHaveLength(1);
    expect(trips[0]).toMatch(/^[bc] [\d.]+ 3$/);
  });

  test('without an answer: others and TCP are asked, then the node is suspect, then dead', () => {
    const script = started();
    const { peer, other, seqNo } = first(script);
    const name = peer === 2 ? 'b' : 'c';
    const lines = script.pass(1000);
    expect(lines).toContain(
      `to ${other}: indirectPing nack=true node=${name} port=7946 seqNo=${seqNo} sourceAddr=0a000001 sourceNode=me sourcePort=7946 target=0a00000${peer}`,
    );
    expect(lines.some((each) => each.startsWith(`connect 0: ping node=${name}`))).toBe(true);
    expect([...lines, ...script.pass(1000)]).toContain(`suspect ${name}`);
    expect(script.core.health).toBeGreaterThan(0);
    expect(script.pass(5000)).toContain(`leave ${name}`);
    expect(script.core.member(name)?.state).toBe('dead');
  });
});

describe('a process that refuses the connection', () => {
  test('is suspect after half a timeout more, unless others reach it', () => {
    const script = new Script();
    script.give({ type: 'start' });
    script.hear(2, alive('b', 2), alive('c', 3));
    const connects = (): string[] => script.pass(100).filter((each) => each.startsWith('connect'));
    let found = connects();
    while (found.length === 0 && script.now < 3000) found = connects();
    const stream = Number(/^connect (\d+): ping/.exec(found[0] ?? '')?.[1]);
    expect(script.give({ type: 'closed', stream, why: 'refused' })).toEqual([expect.stringMatching(/^refused [bc]$/)]);
    const since = script.now;
    while (script.core.members().every(({ state }) => state === 'alive')) script.pass(10);
    expect(script.now - since).toBe(250);
  });
});

describe('a process that did not run', () => {
  test('accuses no node, and waits longer for refutations', () => {
    const script = new Script();
    script.give({ type: 'start' });
    script.hear(2, alive('b', 2), alive('c', 3), { type: 'suspect', incarnation: 1, node: 'c', from: 'b' });
    script.pass(900);
    script.now += 60_000;
    expect(script.give({ type: 'timer' })).toContain('stalled');
    expect([script.core.member('c')?.state, script.core.health]).toEqual(['suspect', 1]);
    expect(script.pass(100)).not.toContain('leave c');
    script.hear(3, alive('c', 3, { incarnation: 2 }));
    expect(script.core.member('c')?.state).toBe('alive');
  });

  test('a timer that is a little late is no stall', () => {
    const script = new Script();
    script.give({ type: 'start' });
    script.now += (script.core.nextWake ?? 0) + 499;
    expect(script.give({ type: 'timer' })).toEqual([]);
  });
});

describe('a flood', () => {
  test('of one source is cut, and counted', () => {
    const script = new Script();
    const ping = { type: 'ping', seqNo: 1, node: 'me', ...source } as const;
    const answers = Array.from({ length: 600 }, () => script.hear(2, ping)).filter((each) => each.length > 0);
    expect([answers.length, script.core.refusals.get('rate-limited'), script.hear(3, ping).length]).toEqual([
      500, 100, 1,
    ]);
  });
});

describe('what the application knows of members', () => {
  test('a source that it does not admit is not read, and counted', () => {
    const script = new Script({ admits: (addr) => addr[3] !== 2 });
    const ping = { type: 'ping', seqNo: 1, node: 'me', ...source } as const;
    expect([script.hear(2, ping), script.hear(3, ping).length]).toEqual([[], 1]);
    expect(script.give({ type: 'accepted', stream: 1, from: at(2) })).toEqual(['close 1']);
    expect(script.core.refusals.get('stranger')).toBe(2);
  });

  test('a node that is evicted has left, and the news goes on', () => {
    const script = new Script();
    script.hear(2, alive('b', 2));
    expect(script.give({ type: 'evict', name: 'b' })).toContain('leave b');
    expect(script.core.member('b')?.state).toBe('left');
    expect([script.give({ type: 'evict', name: 'b' }), script.give({ type: 'evict', name: 'me' })]).toEqual([[], []]);
  });
});

describe('a peer that opens a stream', () => {
  test('and says nothing has 2 s', () => {
    const script = new Script();
    script.give({ type: 'accepted', stream: 1, from: at(2) });
    expect([script.pass(1999), script.pass(1)]).toEqual([[], ['close 1']]);
  });

  test('and said what it sends has the whole time for it', () => {
    const script = new Script();
    const request = encodeRequest({ type: 'user', payload: new Uint8Array(500) }, layers);
    script.give({ type: 'accepted', stream: 1, from: at(2) });
    script.give({ type: 'received', stream: 1, bytes: request.subarray(0, 100) });
    expect(script.pass(9000)).toEqual([]);
    expect(script.give({ type: 'received', stream: 1, bytes: request.subarray(100) })).toEqual(['message', 'close 1']);
    script.give({ type: 'accepted', stream: 3, from: at(2) });
    script.give({ type: 'received', stream: 3, bytes: request.subarray(0, 100) });
    expect([script.pass(9999), script.pass(1)]).toEqual([[], ['close 3']]);
  });
});

describe('views', () => {
  const other = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const ping = { type: 'ping', seqNo: 1, node: 'me', ...source, sourceNode: 'b' } as const;

  test('of a peer that differ lead to an exchange, but not while news flows', () => {
    const script = new Script();
    script.hear(2, alive('b', 2));
    script.hear(2, { ...ping, view: other });
    script.hear(2, alive('c', 3));
    expect(script.pass(200)).toEqual([]);
    script.hear(2, { ...ping, view: other });
    expect(script.pass(200)).toEqual([expect.stringMatching(/^connect 0: pushPull join=false/)]);
  });

  test('that differ for long are compared less and less often', () => {
    const script = new Script();
    script.hear(2, alive('b', 2));
    const exchanges: number[] = [];
    for (let second = 0; second < 40; second++) {
      script.hear(2, { ...ping, view: other });
      if (script.pass(1000).some((each) => each.startsWith('connect'))) exchanges.push(second);
    }
    const gaps = exchanges.slice(1).map((second, i) => second - (exchanges[i] ?? 0));
    expect(gaps).toHaveLength(5);
    expect(gaps).toEqual([...gaps].sort((a, b) => a - b));
    expect(gaps.at(-1)).toBeGreaterThan(15);
  });

  test('are told only to who told one', () => {
    const script = new Script();
    const read = (view: Uint8Array): readonly string[] =>
      script.core
        .step(
          { type: 'datagram', from: at(2), bytes: encodeDatagram(encodeMessage({ ...ping, view }), layers, false) },
          0,
        )
        .flatMap((effect) => (effect.type === 'datagram' ? decodeDatagram(effect.bytes, layers).messages : []))
        .map(printMessage);
    expect(read(noBytes)).toEqual(['ack payload=- seqNo=1']);
    expect(read(other)).toEqual([expect.stringMatching(/^ack payload=- seqNo=1 view=[0-9a-f]{16}$/)]);
  });
});

test('a node that sends version 0 of the envelope says that it speaks protocol 1', () => {
  const encryption = {
    aead: new NullAead(),
    keyring: new Keyring(new Uint8Array(16)),
    version: 0,
    encryptsOutgoing: true,
    refusesPlaintext: true,
  } as const;
  const settings = { ...new Script().settings, layers: { ...layers, encryption } };
  const core = new Core(settings, new SeededRandom(1), {}, 0);
  expect(core.member('me')?.vsn).toEqual(Uint8Array.of(1, 5, 1, 0, 0, 0));
});

test('an accusation is refuted with a higher incarnation', () => {
  const script = new Script();
  script.hear(2, alive('b', 2), { type: 'suspect', incarnation: 41, node: 'me', from: 'b' });
  expect([script.core.member('me')?.incarnation, script.core.health]).toEqual([42, 1]);
  script.hear(2, { type: 'dead', incarnation: 0xff_ff_ff_ff, node: 'me', from: 'b' });
  expect(script.core.member('me')).toMatchObject({ incarnation: 0xff_ff_ff_ff, state: 'alive' });
});

describe('push/pull', () => {
  const entry = { name: 'b', ...at(2), meta: noBytes, incarnation: 1, state: 'alive', vsn } as const;
  const request = { type: 'pushPull', join: true, nodes: [entry], userState: utf8('theirs') } as const;

  test('of a joining node is answered, then taken', () => {
    const states: string[] = [];
    const script = new Script({
      localState: () => utf8('mine'),
      mergeRemoteState: (state, isJoin) => states.push(`${Buffer.from(state)} ${isJoin}`),
    });
    const lines = script.request(1, request);
    expect(lines[0]).toMatch(/^reply 1: pushPull join=true nodes=\[\{.*name=me.*\}\] userState=6d696e65$/);
    expect(lines.slice(1)).toEqual(['join b']);
    expect(states).toEqual(['theirs true']);
  });

  test.each<[string, Delegate, StreamMessage]>([
    ['that the application refuses', { refuseMerge: () => 'no' }, request],
    ['of another version', {}, { ...request, nodes: [{ ...entry, vsn: Uint8Array.of(1, 5, 2, 2, 5, 5) }] }],
  ])('%s changes nothing', (_, delegate, message) => {
    const script = new Script(delegate);
    expect(script.request(1, message).slice(1)).toEqual(['exchangeFailed']);
    expect(script.core.members()).toHaveLength(1);
  });

  test('says of a dead node only that it is suspect; a node that left has left', () => {
    const script = new Script();
    script.hear(2, alive('b', 2), alive('c', 3));
    const nodes = [
      { ...entry, state: 'dead' as const },
      { ...entry, name: 'c', ...at(3), state: 'left' as const },
    ];
    script.request(1, { ...request, nodes });
    expect(['b', 'c'].map((name) => script.core.member(name)?.state)).toEqual(['suspect', 'left']);
  });

  test.each<[string, (script: Script) => readonly string[], string]>([
    ['is refused', (script) => script.give({ type: 'closed', stream: 0, why: 'refused' }), 'settled 5: refused'],
    ['is silent', (script) => script.pass(10_000), 'settled 5: timeout'],
    [
      'cannot read the request',
      (script) =>
        script.give({ type: 'received', stream: 0, bytes: encodeReply({ type: 'error', error: 'bad' }, layers) }),
      'settled 5: bad',
    ],
    [
      'sends noise',
      (script) => script.give({ type: 'received', stream: 0, bytes: utf8('noise') }),
      'settled 5: unknown-type',
    ],
    [
      'answers',
      (script) => script.give({ type: 'received', stream: 0, bytes: encodeReply(request, layers) }),
      'settled 5: done',
    ],
  ])('a join: the peer %s', (_, answer, line) => {
    const script = new Script();
    const [open] = script.give({ type: 'join', command: 5, to: at(2) });
    expect(open).toMatch(/^connect 0: pushPull join=true/);
    expect(answer(script)).toContain(line);
    expect(script.give({ type: 'closed', stream: 0, why: 'again' })).toEqual([]);
  });
});

describe('messages of the application', () => {
  test('in a datagram and on a stream', () => {
    const script = new Script();
    expect(script.give({ type: 'sendBestEffort', to: at(2), payload: utf8('hi') })).toEqual([
      'to 2: user payload=6869',
    ]);
    expect(script.give({ type: 'sendReliable', command: 4, to: at(2), payload: utf8('hi') })).toEqual([
      'connect 0: user payload=6869',
    ]);
    expect(script.give({ type: 'sent', stream: 0 })).toEqual(['reply 0: end', 'settled 4: done']);
    expect(script.request(1, { type: 'user', payload: utf8('hi') })).toEqual(['message', 'close 1']);
    expect(script.hear(2, { type: 'user', payload: utf8('hi') })).toEqual(['message']);
  });

  test('ride on packets while there is room', () => {
    const rooms: number[] = [];
    const script = new Script({
      broadcasts: (room, overhead) => {
        rooms.push(room);
        return [new Uint8Array(room - overhead), utf8('too much')];
      },
    });
    const [ack, user, ...more] = script.hear(2, { type: 'ping', seqNo: 7, node: 'me', ...source });
    expect([ack?.slice(0, 8), user?.slice(0, 10), more]).toEqual(['to 2: ac', 'to 2: user', []]);
    expect(rooms[0]).toBeGreaterThan(1300);
  });
});

test('one source gets 32 streams, all sources together 128', () => {
  const script = new Script();
  const refused = Array.from({ length: 200 }, (_, i) =>
    script.give({
      type: 'accepted',
      stream: 2 * i + 1,
      from: { addr: Uint8Array.of(10, 0, 0, 2 + Math.floor(i / 40)), port: i },
    }),
  );
  const open = (from: number, to: number): number => refused.slice(from, to).filter((each) => each.length === 0).length;
  expect([open(0, 40), open(0, 160), open(0, 200)]).toEqual([32, 128, 128]);
  expect(script.pass(10_000).filter((each) => each.startsWith('close'))).toHaveLength(128);
  expect(script.give({ type: 'accepted', stream: 999, from: at(2) })).toEqual([]);
});

describe('leaving', () => {
  test('is done at once where no other node is', () => {
    expect(new Script().give({ type: 'leave', command: 3, timeout: 100 })).toEqual(['leave me', 'settled 3: done']);
  });

  test('ends at the timeout where no packet could be sent, and pings are still answered', () => {
    const script = new Script();
    script.hear(2, alive('b', 2));
    expect(script.give({ type: 'leave', command: 3, timeout: 100 })).toEqual(['leave me']);
    expect(script.pass(100)).toEqual(['settled 3: timeout']);
    expect(script.hear(2, { type: 'ping', seqNo: 7, node: 'me', ...source })).toEqual(['to 2: ack payload=- seqNo=7']);
    expect(script.hear(2, alive('me', 1, { incarnation: 9 }))).toEqual([]);
  });

  test('does not make a node forget itself', () => {
    const script = new Script();
    script.give({ type: 'start' });
    script.give({ type: 'leave', command: 3, timeout: 100 });
    script.pass(120_000);
    expect(script.core.member('me')?.state).toBe('left');
  });
});

test('bytes that are no datagram are counted', () => {
  const script = new Script();
  expect(script.give({ type: 'datagram', from: at(2), bytes: utf8('GET / HTTP/1.1') })).toEqual([]);
  expect([...script.core.refusals]).toEqual([['unknown-type', 1]]);
});
