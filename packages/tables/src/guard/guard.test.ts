import { SeededRandom } from '@causeway/runtime/testing';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { Frame } from '../wire/frame.ts';
import { Refusals } from './refusals.ts';
import { ReplayWindow } from './replay-window.ts';
import { Sessions } from './sessions.ts';

test('a window accepts each counter once, and none that is far behind', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 3_000 }), { maxLength: 60 }), (counters) => {
      const window = new ReplayWindow(-1n);
      const seen = new Set<number>();
      for (const counter of counters) {
        const isOld = Math.max(-1, ...seen) - counter >= 1_024;
        expect(window.accept(BigInt(counter))).toBe(!isOld && !seen.has(counter));
        seen.add(counter);
      }
    }),
  );
});

test('a window refuses what came before it began', () => {
  const window = new ReplayWindow(50n);
  expect([49n, 50n, 51n, 51n].map((counter) => window.accept(counter))).toEqual([false, false, true, false]);
});

describe('sessions', () => {
  const frame = (boot: bigint, counter: bigint): Frame => ({ kind: 'pull', boot, counter, body: new Uint8Array(0) });

  it('accept a boot after the peer has repeated the number, and no frame from before', () => {
    const sessions = new Sessions(new SeededRandom(1));
    expect(sessions.accept('a', frame(1n, 7n))).toBe('unknown-boot');
    const number = sessions.challenge('a');
    expect(sessions.challenge('a')).toBe(number);
    sessions.answered('a', frame(1n, 8n), number + 1n);
    expect(sessions.accept('a', frame(1n, 9n))).toBe('unknown-boot');
    sessions.answered('a', frame(1n, 10n), number);
    expect([9n, 11n, 11n].map((counter) => sessions.accept('a', frame(1n, counter)))).toEqual([
      'replayed',
      'fresh',
      'replayed',
    ]);
    expect(sessions.accept('b', frame(1n, 12n))).toBe('unknown-boot');
  });

  it('take a recorded answer for no answer', () => {
    const sessions = new Sessions(new SeededRandom(1));
    const number = sessions.challenge('a');
    sessions.answered('a', frame(1n, 1n), number);
    sessions.answered('a', frame(2n, 1n), sessions.challenge('a'));
    sessions.answered('a', frame(1n, 1n), number);
    expect(sessions.accept('a', frame(2n, 2n))).toBe('fresh');
    sessions.keep(new Set());
    expect(sessions.accept('a', frame(2n, 3n))).toBe('unknown-boot');
  });
});

describe('refusals', () => {
  it('are counted by peer, and a peer that forges is not read for a second', () => {
    const refusals = new Refusals();
    for (let i = 0; i < 11; i++) refusals.refuse('a', 'bad-signature', 0);
    refusals.refuse('b', 'stale', 0);
    expect(refusals.admits('a', 999)).toBe('muted');
    expect(refusals.admits('b', 999)).toBeUndefined();
    expect(refusals.admits('a', 1_000)).toBeUndefined();
    expect(refusals.counts()).toEqual(
      new Map([
        [
          'a',
          new Map([
            ['bad-signature', 11],
            ['muted', 1],
          ]),
        ],
        ['b', new Map([['stale', 1]])],
      ]),
    );
  });

  it('cut a flood, and not what a manager sends', () => {
    const refusals = new Refusals();
    const admitted = (peer: string, perSecond: number): number => {
      let count = 0;
      for (let i = 0; i < 4 * perSecond; i++) if (refusals.admits(peer, (1_000 * i) / perSecond) === undefined) count++;
      return count;
    };
    expect(admitted('manager', 2_000)).toBe(8_000);
    expect(admitted('flood', 20_000)).toBeLessThan(1_000 + 4 * 3_000 + 2);
  });
});
