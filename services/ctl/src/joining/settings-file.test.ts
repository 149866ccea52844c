import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseVariables } from '../host-settings.ts';
import { withoutVariables, withVariables } from './settings-file.ts';

const packaged = readFileSync(new URL('../../../../deploy/systemd/agent.env', import.meta.url), 'utf8');
const values = { CAUSEWAY_NAME: 'h1', CAUSEWAY_MANAGERS: '10.0.0.1:7443', CAUSEWAY_DATA_PATH: '10.0.0.9' };

test('the settings of the package get their values in place, and keep their comments', () => {
  const text = withVariables(packaged, values);
  expect(parseVariables(text)).toEqual({ ...values, CAUSEWAY_DATA_DIR: '/var/lib/causeway/agent' });
  expect(text.split('\n').length).toBe(packaged.split('\n').length);
  expect(text).toContain('# Settings of this host');
  expect(withVariables(text, values)).toBe(text);
});

test.each<[string, string, string]>([
  ['a file that does not exist', '', 'A=1\n'],
  ['a file without a line feed at the end', 'B=2', 'B=2\nA=1\n'],
  ['another value', 'A=0\nB=2\n', 'A=1\nB=2\n'],
  ['the same value, in quotes', 'A="1"\nB=2\n', 'A="1"\nB=2\n'],
  ['the last of two lines, which counts', 'A=1\nA=0\n', 'A=1\nA=1\n'],
  ['a comment', '#A=9\n', 'A=1\n'],
  ['a comment beside the setting', '#A=9\nA=0\n', '#A=9\nA=1\n'],
  ['a longer name', 'AA=9\n', 'AA=9\nA=1\n'],
])('a value is set in %s', (_, before, after) => {
  expect(withVariables(before, { A: '1' })).toBe(after);
});

test('settings that are left behind become comments', () => {
  const text = withVariables(packaged, values);
  const left = withoutVariables(text, Object.keys(values));
  expect(parseVariables(left)).toEqual({ CAUSEWAY_DATA_DIR: '/var/lib/causeway/agent' });
  expect(parseVariables(withVariables(left, values))).toEqual(parseVariables(text));
});
