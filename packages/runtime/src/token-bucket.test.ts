import { describe, expect, test } from 'vitest';
import { TokenBucket, TokenBuckets } from './token-bucket.ts';

const rate = { burst: 3, perSecond: 2 };

/** How many of so many can be taken. */
function taken(bucket: TokenBucket, count: number, now: number): number {
  return Array.from({ length: count }, () => bucket.take(now)).filter(Boolean).length;
}

describe('a bucket', () => {
  test('has its burst, then its rate, and never more than its burst', () => {
    const bucket = new TokenBucket(rate, 0);
    expect(taken(bucket, 10, 0)).toBe(3);
    expect(taken(bucket, 10, 1_000)).toBe(2);
    expect(taken(bucket, 10, 60_000)).toBe(3);
  });

  test('says when there is one', () => {
    const bucket = new TokenBucket(rate, 0);
    expect(bucket.readyAt(0)).toBe(0);
    taken(bucket, 3, 0);
    expect(bucket.readyAt(0)).toBe(500);
    expect(bucket.take(499)).toBe(false);
    expect(bucket.take(500)).toBe(true);
  });

  test('takes back what was taken', () => {
    const bucket = new TokenBucket(rate, 0);
    taken(bucket, 3, 0);
    bucket.giveBack(0);
    expect(taken(bucket, 10, 0)).toBe(1);
    for (let i = 0; i < 10; i++) bucket.giveBack(0);
    expect(taken(bucket, 10, 0)).toBe(3);
  });

  test('can be charged more than it has: that must come back first', () => {
    const bucket = new TokenBucket(rate, 0);
    bucket.charge(7, 0);
    expect(taken(bucket, 10, 2_000)).toBe(0);
    expect(taken(bucket, 10, 2_500)).toBe(1);
    expect(bucket.isFull(2_500)).toBe(false);
    expect(bucket.isFull(4_000)).toBe(true);
  });
});

describe('buckets', () => {
  test('each key has its own', () => {
    const buckets = new TokenBuckets(rate);
    expect(taken(buckets.of('a', 0), 10, 0)).toBe(3);
    expect(taken(buckets.of('b', 0), 10, 0)).toBe(3);
    expect(taken(buckets.of('a', 1_000), 10, 1_000)).toBe(2);
  });

  test('a flood of keys is not remembered for each of them', () => {
    const buckets = new TokenBuckets(rate);
    for (let i = 0; i < 10_000; i++) buckets.of(`key ${i}`, 0).take(0);
    expect(taken(buckets.of('one more', 0), 10, 0)).toBe(3);
    expect(taken(buckets.of('yet another', 0), 10, 0)).toBe(0);
    expect(taken(buckets.of('yet another', 10_000), 10, 10_000)).toBe(3);
  });
});
