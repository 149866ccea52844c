import { describe, expect, test } from 'vitest';
import { DiskWatch, parseFsyncs } from './disk.ts';

describe('DiskWatch', () => {
  test.each<[string, readonly (readonly [count: number, seconds: number])[], boolean]>([
    ['one look says nothing', [[1_000, 500]], false],
    [
      'quick',
      [
        [1_000, 500],
        [1_100, 500.5],
      ],
      false,
    ],
    [
      'slow since the last look, whatever was before',
      [
        [1_000, 1],
        [1_010, 3],
      ],
      true,
    ],
    [
      'quick again',
      [
        [1_000, 1],
        [1_010, 3],
        [1_020, 3.01],
      ],
      false,
    ],
    [
      'too few fsyncs to say otherwise',
      [
        [1_000, 1],
        [1_010, 3],
        [1_012, 3.01],
      ],
      true,
    ],
    [
      'etcd was restarted',
      [
        [1_000, 1],
        [1_010, 3],
        [5, 2],
      ],
      false,
    ],
  ])('%s', (_, looks, slow) => {
    const watch = new DiskWatch();
    const said = looks.map(([count, seconds]) => watch.look('m1', { count, seconds }));
    expect(said.at(-1)).toBe(slow);
  });

  test('each member by itself', () => {
    const watch = new DiskWatch();
    watch.look('m1', { count: 0, seconds: 0 });
    watch.look('m2', { count: 0, seconds: 0 });
    expect(watch.look('m1', { count: 10, seconds: 5 })).toBe(true);
    expect(watch.look('m2', { count: 10, seconds: 0.1 })).toBe(false);
  });
});

test.each([
  [
    'etcd_disk_wal_fsync_duration_seconds_bucket{le="8.192"} 7\netcd_disk_wal_fsync_duration_seconds_sum 0.021\netcd_disk_wal_fsync_duration_seconds_count 7\n',
    { count: 7, seconds: 0.021 },
  ],
  [
    'etcd_disk_wal_fsync_duration_seconds_sum 1e-05\netcd_disk_wal_fsync_duration_seconds_count 1',
    { count: 1, seconds: 0.00001 },
  ],
  ['<html>no metrics here</html>', undefined],
  ['', undefined],
])('reads %j', (text, totals) => {
  expect(parseFsyncs(text)).toEqual(totals);
});
