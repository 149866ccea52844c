import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesOf, hex } from '../testing/hex.ts';
import { noBytes, utf8 } from '../wire/bytes.ts';
import { Keyring } from '../wire/keyring.ts';
import { decodeKeyResponse, encodeConflictResponse, encodeKeyRequest, encodeKeyResponse } from './answer.ts';
import { encodeFilters, type Filters, passes } from './filter.ts';
import { answerInternal, type KeyOperation, keyQueries, toBase64 } from './internal-query.ts';
import { LamportClock } from './lamport.ts';
import { MessageBuffer } from './message-buffer.ts';
import { Outbox } from './outbox.ts';
import { defaultQueryTimeout } from './profile.ts';
import { matches } from './regex.ts';
import { decodeTags, encodeTags, type Tags } from './tags.ts';
import { isSameAddress, KeyTally, NameVote } from './tally.ts';

describe('tags', () => {
  test.each<[string, string, Tags]>([
    ['of serf', 'ff82a4726f6c65a3776562a26463a477657374', { role: 'web', dc: 'west' }],
    ['none', 'ff80', {}],
  ])('%s are read, and written as serf wrote them', (_, digits, tags) => {
    expect(decodeTags(bytesOf(digits))).toEqual(tags);
    expect(hex(encodeTags(tags))).toBe(digits);
  });

  test.each<[string, Uint8Array, Tags]>([
    ['a meta of the first versions is the role', utf8('web'), { role: 'web' }],
    ['no meta is an empty role', noBytes, { role: '' }],
    ['a meta that is cut off has no tags', bytesOf('ff82a4726f6c65'), {}],
  ])('%s', (_, meta, tags) => {
    expect(decodeTags(meta)).toEqual(tags);
  });

  test('tags that do not fit are refused', () => {
    expect(() => encodeTags({ a: 'x'.repeat(510) })).toThrow('tags: at most 512 bytes when encoded');
  });
});

describe('what waits to be sent', () => {
  const all = (outbox: Outbox, limit: number): readonly string[] => outbox.take(1000, 3, limit).map(hex);

  test('goes by kind: news of members, then queries, then events', () => {
    const outbox = new Outbox(100, () => undefined);
    outbox.event(Uint8Array.of(3));
    outbox.query(Uint8Array.of(2));
    outbox.intent(Uint8Array.of(1), 'n');
    expect(all(outbox, 1)).toEqual(['01', '02', '03']);
    expect(all(outbox, 1)).toEqual([]);
  });

  test('is never longer than a packet: it would wait forever', () => {
    const outbox = new Outbox(100, () => undefined);
    expect(outbox.event(new Uint8Array(100))).toBeUndefined();
    expect(outbox.event(new Uint8Array(101))).toBe('longer than a packet');
    expect(outbox.query(new Uint8Array(101))).toBe('longer than a packet');
    expect(all(outbox, 1)).toHaveLength(1);
  });

  test('is bounded', () => {
    const outbox = new Outbox(100, () => undefined);
    const errors = Array.from({ length: 5000 }, () => outbox.query(Uint8Array.of(1))).filter(
      (each) => each !== undefined,
    );
    expect(new Set(errors)).toEqual(new Set(['too many messages wait to be sent']));
    expect(errors).toHaveLength(5000 - 4096);
  });
});

test('a clock is later than all that it has seen', () => {
  const clock = new LamportClock();
  expect([clock.next(), clock.next(), clock.time]).toEqual([1, 2, 3]);
  clock.witness(1);
  expect(clock.time).toBe(3);
  clock.witness(9);
  expect(clock.next()).toBe(10);
});

describe('a buffer of messages', () => {
  const bufferAt = (time: number): MessageBuffer<string> => {
    const clock = new LamportClock();
    clock.witness(time - 1);
    return new MessageBuffer<string>(clock, (a, b) => a === b);
  };

  test('takes each message once', () => {
    const buffer = bufferAt(1);
    const taken = [
      [5, 'a'],
      [5, 'a'],
      [5, 'b'],
      [4, 'a'],
      [517, 'a'],
      [5, 'c'],
      [6, 'c'],
    ] as const;
    expect(taken.map(([time, message]) => buffer.take(time, message))).toEqual([
      true,
      false,
      true,
      true,
      true,
      // As old as what is not known any more.
      false,
      true,
    ]);
    expect(buffer.all.map(({ time }) => time).sort()).toEqual([517, 6]);
  });

  test('takes nothing from before its first time', () => {
    const buffer = bufferAt(10);
    buffer.minTime = 8;
    expect([7, 8].map((time) => buffer.take(time, 'a'))).toEqual([false, true]);
  });

  test('is bounded, however many messages have one time', () => {
    const buffer = bufferAt(1);
    const taken = Array.from({ length: 1000 }, (_, i) => buffer.take(3, `${i}`)).filter(Boolean);
    expect(taken).toHaveLength(256);
  });
});

describe('regular expressions', () => {
  test.each<[string, string, boolean | undefined]>([
    ['', 'web', true],
    ['web', 'my-web-1', true],
    ['^web$', 'web1', false],
    ['^(web|db)[0-9]+$', 'db12', true],
    ['^(?:web|db)-?$', 'db', true],
    ['a{2,3}b', 'aab', true],
    ['^a{2}$', 'aaa', false],
    ['^a{2,}$', 'aaaa', true],
    ['[^a-c]', 'abc', false],
    ['[]a]', ']', true],
    ['[a-]', '-', true],
    ['\\d\\.\\w', '1.x', true],
    ['^\\D+$', 'a1', false],
    ['[\\d_]', '_', true],
    ['a.c', 'a\nc', false],
    ['x*?y', 'xxy', true],
    ['a{,2}', 'a{,2}', true],
    ['(', 'a', undefined],
    [')', 'a', undefined],
    ['*', 'a', undefined],
    ['[a', 'a', undefined],
    ['a{1001}', 'a', undefined],
    ['\\b', 'a', undefined],
    ['(?i)a', 'A', undefined],
    ['[[:alpha:]]', 'a', undefined],
    ['a'.repeat(1025), 'a', undefined],
    ['(?:a{1000}){1000}', 'a', undefined],
    ['(((){1000}){1000}){1000}', 'a', true],
    ['('.repeat(200) + ')'.repeat(200), 'a', undefined],
  ])('%s on %s: %s', (expression, text, expected) => {
    expect(matches(expression, text)).toBe(expected);
  });

  test('an expression that makes backtracking matchers hang takes no time', () => {
    expect(matches('^(a+)+$', `${'a'.repeat(500)}!`)).toBe(false);
    expect(matches('^(a|a)*$', `${'a'.repeat(500)}!`)).toBe(false);
  });

  test('match as those of JavaScript do', () => {
    const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\d', '^', '$');
    const { expression } = fc.letrec<{ expression: string }>((tie) => ({
      expression: fc.oneof(
        { depthSize: 'small' },
        atom,
        fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => a + b),
        fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => `(?:${a}|${b})`),
        fc
          .tuple(tie('expression'), fc.constantFrom('*', '+', '?', '{2}', '{1,2}'))
          .map(([a, times]) => `(${a})${times}`),
      ),
    }));
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '1'), maxLength: 6 });
    fc.assert(
      fc.property(expression, text, (pattern, input) => {
        const result = matches(pattern, input);
        fc.pre(result !== undefined);
        expect(result).toBe(new RegExp(pattern).test(input));
      }),
    );
  });
});

test.each<[string, Filters, boolean]>([
  ['no filter', {}, true],
  ['its name', { nodes: ['n2', 'n1'] }, true],
  ['another name', { nodes: ['n2'] }, false],
  ['its tag', { tags: { role: '^web' } }, true],
  ['another value of its tag', { tags: { role: '^db' } }, false],
  ['a tag that the node does not have', { tags: { dc: '^$' } }, true],
  ['a name that objects have', { tags: { constructor: '.' } }, false],
  ['its tag and another name', { tags: { role: 'web' }, nodes: ['n2'] }, false],
  ['an expression without a meaning', { tags: { role: '(' } }, false],
])('a node passes a filter for %s: %s', (_, filters, expected) => {
  expect(passes(encodeFilters(filters), 'n1', { role: 'web-1' })).toBe(expected);
});

test.each<[string, string]>([
  ['without a type', ''],
  ['of an unknown type', '0290'],
  ['that is cut off', '0091'],
])('no node passes a filter %s', (_, digits) => {
  expect(passes([bytesOf(digits)], 'n1', {})).toBe(false);
});

describe('serf’s own queries', () => {
  const [first, second] = [1, 2].map((each) => new Uint8Array(16).fill(each)) as [Uint8Array, Uint8Array];
  const member = () => undefined;

  test.each<[KeyOperation, Uint8Array, boolean, readonly Uint8Array[]]>([
    ['install', new Uint8Array(32).fill(3), true, [first, second, new Uint8Array(32).fill(3)]],
    ['install', second, true, [first, second]],
    ['install', new Uint8Array(5), false, [first, second]],
    ['use', second, true, [second, first]],
    ['use', new Uint8Array(16), false, [first, second]],
    ['remove', second, true, [first]],
    ['remove', new Uint8Array(16), true, [first, second]],
    ['remove', first, false, [first, second]],
  ])('%s a key', (operation, key, result, keys) => {
    const keyring = new Keyring(first, [second]);
    const by = { name: 'n1', keyring, room: 900, member };
    const answer = answerInternal(keyQueries[operation], encodeKeyRequest(key), by);
    expect(decodeKeyResponse(answer ?? noBytes)?.result).toBe(result);
    expect(keyring.keys).toEqual(keys);
  });

  test('a list has all keys, or as many as fit', () => {
    const keyring = new Keyring(first, [second]);
    const list = (room: number) =>
      decodeKeyResponse(answerInternal(keyQueries.list, noBytes, { name: 'n1', keyring, room, member }) ?? noBytes);
    const primaryKey = toBase64(first);
    expect(list(900)).toEqual({ result: true, message: '', keys: [primaryKey, toBase64(second)], primaryKey });
    expect(list(108)).toMatchObject({ keys: [primaryKey], message: 'the first 1 of 2 keys' });
  });

  test('a node without keys says so', () => {
    const answer = answerInternal(keyQueries.list, noBytes, { name: 'n1', keyring: undefined, room: 900, member });
    expect(decodeKeyResponse(answer ?? noBytes)).toMatchObject({ result: false });
  });

  test('a ping has no answer, and neither has a question about the node itself', () => {
    const by = { name: 'n1', keyring: undefined, room: 900, member };
    expect(answerInternal('_serf_ping', noBytes, by)).toBeUndefined();
    expect(answerInternal('_serf_conflict', utf8('n1'), by)).toBeUndefined();
    expect(hex(answerInternal('_serf_conflict', utf8('n2'), by) ?? noBytes)).toBe('06c0');
  });
});

test('answers about keys are counted', () => {
  const tally = new KeyTally(3);
  tally.add('n1', encodeKeyResponse({ result: true, message: '', keys: ['a', 'b'], primaryKey: 'a' }));
  tally.add('n2', encodeKeyResponse({ result: false, message: 'no', keys: ['a'], primaryKey: '' }));
  expect(tally.isComplete).toBe(false);
  tally.add('n3', noBytes);
  expect(tally.report).toEqual({
    nodes: 3,
    answers: 3,
    isEverywhere: false,
    errors: new Map([
      ['n2', 'no'],
      ['n3', 'unreadable answer'],
    ]),
    remarks: new Map(),
    keys: new Map([
      ['a', 2],
      ['b', 1],
    ]),
    primaryKeys: new Map([['a', 1]]),
  });
});

test.each<[string, readonly number[], boolean]>([
  ['all', [1, 1], true],
  ['most', [1, 1, 2], true],
  ['half', [1, 2], false],
  ['none', [], false],
])('a node keeps its name if %s of the votes are for its address', (_, votes, expected) => {
  const base = { name: 'n1', port: 7946, tags: new Map(), status: 1 };
  const versions = { protocolMin: 1, protocolMax: 5, protocolCur: 2, delegateMin: 2, delegateMax: 5, delegateCur: 5 };
  const vote = new NameVote('n1', { addr: Uint8Array.of(10, 0, 0, 1), port: 7946 });
  for (const last of votes) {
    vote.add(encodeConflictResponse({ ...base, ...versions, addr: Uint8Array.of(10, 0, 0, last) }));
  }
  vote.add(encodeConflictResponse(undefined));
  expect(vote.isWon).toBe(expected);
});

test('an IPv4 address mapped into IPv6 is the same address', () => {
  const addr = Uint8Array.of(10, 0, 0, 1);
  const mapped = Uint8Array.of(...new Array<number>(10).fill(0), 0xff, 0xff, ...addr);
  expect(isSameAddress({ addr, port: 1 }, { addr: mapped, port: 1 })).toBe(true);
  expect(isSameAddress({ addr, port: 1 }, { addr, port: 2 })).toBe(false);
});

test.each([
  [3, 3200],
  [9, 3200],
  [10, 6400],
  [100, 9600],
])('a query to %i nodes takes %i ms', (nodes, expected) => {
  expect(defaultQueryTimeout(200, 16, nodes)).toBe(expected);
});
