import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { exitCodes } from '../exit-codes.ts';
import { runLine } from '../testing/run-line.ts';

// The variable is set when the tests run inside a lab.
beforeAll(() => void vi.stubEnv('CAUSEWAY_MANAGERS', undefined));
afterAll(() => void vi.unstubAllEnvs());

/** Options that make no sense together, and the error, which comes before any server is asked. */
const lines: readonly (readonly [line: string, says: RegExp])[] = [
  ['network create blue --gateway 10.66.0.1', /--gateway: 10\.66\.0\.1 needs a --subnet/],
  ['network create blue --ip-range 10.66.0.0/25', /--ip-range: 10\.66\.0\.0\/25 needs a --subnet/],
  ['network create blue --aux-address dns=10.66.0.9', /--aux-address: dns=10\.66\.0\.9 needs a --subnet/],
  ['network create blue --subnet 10.66.0.0/24 --gateway 10.67.0.1', /--gateway: 10\.67\.0\.1 lies in none of/],
  ['network create blue --subnet 10.66.0.0/24 --gateway fd66::1', /--gateway: fd66::1 lies in none of/],
  ['network create blue --subnet 10.66.0.0/24 --ip-range 10.67.0.0/25', /--ip-range: 10\.67\.0\.0\/25 lies in none of/],
  [
    'network create blue --subnet 10.66.0.0/24 --aux-address dns=10.67.0.9',
    /--aux-address: dns=10\.67\.0\.9 lies in none of/,
  ],
  [
    'network create blue --subnet 10.66.0.0/24 --gateway 10.66.0.1 --gateway 10.66.0.2',
    /--gateway: 10\.66\.0\.1 and 10\.66\.0\.2 both lie in 10\.66\.0\.0\/24/,
  ],
  [
    'network create blue --subnet 10.66.0.0/24 --aux-address dns=10.66.0.8 --aux-address dns=10.66.0.9',
    /--aux-address: "dns" is both 10\.66\.0\.8 and 10\.66\.0\.9/,
  ],
  ['network update blue --label a=b --gateway 10.67.0.1', /--gateway: 10\.67\.0\.1 needs a --add-subnet/],
  ['network update blue --gateway none', /nothing to change/],
  ['network update blue', /nothing to change/],
  ['network update blue --dry-run', /nothing to change/],
  ['network update blue --if-revision 7', /nothing to change/],
  ['ipam reserve blue 10.66.0.9', /--for/],
  ['endpoint attach blue --name web', /--netns/],
  ['endpoint attach blue --netns /run/netns/web', /--name/],
];

describe('options that make no sense', () => {
  test.each(lines)('%s', async (line, says) => {
    const { code, stderr, calls } = await runLine(line);
    expect(stderr).toMatch(says);
    expect(code).toBe(exitCodes.usage);
    expect(calls).toEqual([]);
  });
});
