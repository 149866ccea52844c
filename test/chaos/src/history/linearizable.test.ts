import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkHistory } from './check.ts';
import { checkAddress } from './linearizable.ts';
import { type Act, after, type Holder, type Operation } from './operation.ts';

/** "claim a 0-3": sent at 0, answered at 3. "release a 4-": never answered. "read - 5-6": the address had no owner. */
function history(...lines: readonly string[]): Operation[] {
  return lines.map((line) => {
    const [kind = '', owner = '', span = ''] = line.split(' ');
    const [call = '', end = ''] = span.split('-');
    const act = { kind, owner: owner === '-' ? null : owner } as Act;
    return { key: 'blue 10.0.0.2', act, call: Number(call), end: end === '' ? null : Number(end) };
  });
}

describe('linearizable', () => {
  test.each<[string, readonly string[]]>([
    ['nothing', []],
    ['one after another', ['claim a 0-1', 'release a 2-3', 'claim b 4-5', 'read b 6-7']],
    ['a claim that waited for the release beside it', ['claim a 0-1', 'release a 2-6', 'claim b 3-5']],
    [
      'a release whose answer came late, after the next claim',
      ['claim a 0-1', 'release a 2-9', 'claim b 3-4', 'release b 5-6'],
    ],
    ['a read beside a claim sees either', ['claim a 0-9', 'read - 1-2', 'read a 3-4']],
    ['an unanswered claim that happened', ['claim a 0-', 'read a 5-6']],
    ['an unanswered claim that never happened', ['claim a 0-', 'claim b 1-2', 'read b 5-6']],
    ['an unanswered claim that happened late', ['claim a 0-', 'claim b 1-2', 'release b 3-4', 'read a 8-9']],
    ['an unanswered release that happened', ['claim a 0-1', 'release a 2-', 'claim b 50-51']],
    ['an unanswered release that never happened', ['claim a 0-1', 'release a 2-', 'read a 50-51']],
    [
      'an unanswered claim between two others',
      ['claim u 0-', 'claim a 1-2', 'release a 3-4', 'release u 6-7', 'claim b 8-9'],
    ],
    ['a release refused before its claim', ['absent a 0-1', 'claim a 2-3']],
    [
      'answers at the very time of the next call are beside it',
      ['claim a 0-5', 'release b 2-5', 'claim b 5-6', 'release a 4-5'],
    ],
  ])('%s', (_, lines) => {
    expect(checkAddress(history(...lines))).toEqual({ kind: 'linearizable' });
  });
});

describe('not linearizable', () => {
  test.each<[string, readonly string[]]>([
    ['two claims of one address', ['claim a 0-1', 'claim b 2-3']],
    ['two claims side by side', ['claim a 0-3', 'claim b 1-2']],
    ['a claim that was lost', ['claim a 0-1', 'read - 2-3']],
    ['a claim that was lost, its release refused', ['claim a 0-1', 'absent a 2-3']],
    ['a claim that was lost and given on', ['claim a 0-1', 'claim b 2-3', 'release b 4-5', 'release a 6-7']],
    ['a release of what another has', ['claim a 0-1', 'release b 2-3']],
    ['a stale release that freed the next owner', ['claim a 0-1', 'release a 2-3', 'claim b 4-5', 'release a 6-7']],
    ['a release of nothing', ['release a 0-1']],
    ['released twice', ['claim a 0-1', 'release a 2-3', 'release a 4-5']],
    ['released before it was claimed', ['release a 0-1', 'claim a 2-3']],
    ['a release that was undone', ['claim a 0-1', 'release a 2-3', 'read a 4-5']],
    ['an unanswered claim that happened before it was sent', ['read a 0-1', 'claim a 2-']],
    [
      'an unanswered release that happened twice',
      ['claim a 0-1', 'release a 2-', 'claim b 3-4', 'read a 5-6', 'read - 7-8'],
    ],
    ['an unanswered claim, seen and gone by itself', ['claim a 0-', 'read a 1-2', 'read - 3-4']],
    [
      'three beside each other, of which two can be',
      ['claim a 0-9', 'claim b 0-9', 'claim c 0-9', 'release a 1-8', 'release b 1-8', 'read - 20-21'],
    ],
  ])('%s', (_, lines) => {
    expect(checkAddress(history(...lines)).kind).toBe('impossible');
  });

  test('says how far an order goes and what does not fit', () => {
    expect(checkHistory(history('claim a 0-1', 'claim b 2-3'))).toEqual([
      [
        'blue 10.0.0.2 is not linearizable:',
        'blue 10.0.0.2 claim a [0.0, 1.0]',
        'after which none of these can be:',
        'blue 10.0.0.2 claim b [2.0, 3.0]',
      ].join('\n  '),
    ]);
  });
});

test('addresses are apart', () => {
  const [first, second] = history('claim a 0-1', 'claim b 2-3') as [Operation, Operation];
  expect(checkHistory([first, { ...second, key: 'red 10.0.0.2' }])).toEqual([]);
});

test('it agrees with trying every order', () => {
  const owner = fc.constantFrom('a', 'b');
  const act: fc.Arbitrary<Act> = fc.oneof(
    fc.record({ kind: fc.constant('claim'), owner }),
    fc.record({ kind: fc.constant('release'), owner }),
    fc.record({ kind: fc.constant('absent'), owner }),
    fc.record({ kind: fc.constant('read'), owner: fc.option(owner) }),
  ) as fc.Arbitrary<Act>;
  const times = fc.tuple(fc.nat(9), fc.option(fc.nat(6), { freq: 4 }));
  const operation = fc.tuple(act, times).map(([what, [call, span]]): Operation => {
    return { key: 'k', act: what, call, end: span === null ? null : call + span };
  });
  const verdicts = { linearizable: 0, impossible: 0 };
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 6 }), (operations) => {
      const { kind } = checkAddress(operations);
      verdicts[kind]++;
      expect(kind === 'linearizable').toBe(hasOrder(operations, null));
    }),
    { numRuns: 5_000 },
  );
  // A generator that gave only one verdict would prove little.
  expect(Math.min(verdicts.linearizable, verdicts.impossible)).toBeGreaterThan(500);
});

/** The definition itself: first any operation that no other remaining operation precedes, then the rest. */
function hasOrder(left: readonly Operation[], holder: Holder): boolean {
  if (left.every(({ end }) => end === null)) return true;
  return left.some((one, i) => {
    const rest = left.filter((_, j) => j !== i);
    if (rest.some(({ end }) => end !== null && end < one.call)) return false;
    const result = after(holder, one.act);
    if (result !== undefined && hasOrder(rest, result)) return true;
    return one.end === null && hasOrder(rest, holder);
  });
}

test('thousands of operations of many callers take no time to speak of', () => {
  const operations: Operation[] = [];
  for (let i = 0; i < 20_000; i++) {
    const owner = `o${i}`;
    operations.push({ key: 'k', act: { kind: 'claim', owner }, call: i * 4, end: i * 4 + 2 });
    operations.push({ key: 'k', act: { kind: 'release', owner }, call: i * 4 + 1, end: i * 4 + 70 });
    // These have no answer, and may still take effect at any time.
    if (i % 2_000 === 0) operations.push({ key: 'k', act: { kind: 'claim', owner: `u${i}` }, call: i * 4, end: null });
  }
  expect(checkAddress(operations)).toEqual({ kind: 'linearizable' });
});
