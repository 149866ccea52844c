import { minutes } from '@causeway/runtime';
import { describe, expect, it } from 'vitest';
import { dueAt, receivingLimits, rekeyPeriod, sendingLimits } from './limits.ts';

const keyWith = (first: number): Uint8Array => new Uint8Array(32).fill(first, 0, 2);
const at = (first: number) => ({ generation: 1, publicKey: keyWith(first), createdAt: 1_000 });

describe('the limits of a key', () => {
  it('of time are spread over the last tenth of the period, by the key', () => {
    expect(dueAt(at(0), rekeyPeriod)).toBe(1_000 + 8 * 3_600_000);
    expect(dueAt(at(0xff), rekeyPeriod)).toBeCloseTo(1_000 + 0.9 * 8 * 3_600_000, -3);
  });

  it('of bytes and packets too; the hard ones are four times as large and not spread', () => {
    const hard = { bytes: 2 ** 44, packets: 2 ** 36, seconds: 24 * 3_600 };
    expect(sendingLimits(keyWith(0), rekeyPeriod)).toEqual({ soft: { bytes: 2 ** 42, packets: 2 ** 34 }, hard });
    const spread = sendingLimits(keyWith(0x80), rekeyPeriod);
    expect(spread.hard).toEqual(hard);
    expect((spread.soft?.bytes ?? 0) / 2 ** 42).toBeCloseTo(0.95, 3);
    expect((spread.soft?.packets ?? 0) / 2 ** 34).toBeCloseTo(0.95, 3);
  });

  it('of an SA that receives are those of its life', () => {
    expect(receivingLimits(minutes(1))).toEqual({ hard: { seconds: 180 } });
  });
});
