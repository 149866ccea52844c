import { expect, test } from 'vitest';
import { formatLogText } from './log-line.ts';

const head = '{"level":"warn","time":"2026-11-26T15:04:05.123Z","event":"disk.slow"';

test.each([
  ['no field', `${head}}`, '2026-11-26T15:04:05.123Z WARN  disk.slow'],
  ['numbers and words', `${head},"took":3,"node":"h1"}`, '2026-11-26T15:04:05.123Z WARN  disk.slow took=3 node=h1'],
  [
    'text with spaces',
    `${head},"message":"it is slow"}`,
    '2026-11-26T15:04:05.123Z WARN  disk.slow message="it is slow"',
  ],
  ['text that looks like a pair', `${head},"m":"a=b"}`, '2026-11-26T15:04:05.123Z WARN  disk.slow m="a=b"'],
  ['nothing in it', `${head},"m":""}`, '2026-11-26T15:04:05.123Z WARN  disk.slow m=""'],
  ['a list', `${head},"m":[1,"b"]}`, '2026-11-26T15:04:05.123Z WARN  disk.slow m=[1,"b"]'],
  [
    'a terminal sequence',
    `${head},"m":"\\u001b[2J\\u009b"}`,
    '2026-11-26T15:04:05.123Z WARN  disk.slow m="\\u001b[2J\\u009b"',
  ],
  ['a line break', `${head},"m":"a\\nb\\u2028"}`, '2026-11-26T15:04:05.123Z WARN  disk.slow m="a\\nb\\u2028"'],
])('text of a line with %s', (_, json, text) => {
  expect(formatLogText(json)).toBe(text);
});
