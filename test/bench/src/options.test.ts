import { expect, test } from 'vitest';
import { readCommand } from './options.ts';

const benches = ['kernel', 'scale'];
const usual = { sessions: 1000, networks: 900, endpointsEach: 10 };

test.each([
  ['', { kind: 'measure', names: [], scale: usual }],
  ['kernel scale', { kind: 'measure', names: ['kernel', 'scale'], scale: usual }],
  ['scale --json out.json', { kind: 'measure', names: ['scale'], json: 'out.json', scale: usual }],
  ['--sessions 5000', { kind: 'measure', names: [], scale: { sessions: 5000, networks: 4500, endpointsEach: 10 } }],
  [
    '--networks 20 --endpoints-each 3',
    { kind: 'measure', names: [], scale: { sessions: 1000, networks: 20, endpointsEach: 3 } },
  ],
  ['compare a.json b.json', { kind: 'compare', files: ['a.json', 'b.json'] }],
])('bench %s', (line, command) => {
  expect(readCommand(line.split(' ').filter(Boolean), benches)).toEqual(command);
});

test.each([
  ['kernel nothing', /unknown bench "nothing"; known: kernel, scale/],
  ['compare a.json', /compare takes two files/],
  ['compare a.json b.json c.json', /compare takes two files/],
  ['--sessions many', /--sessions "many" is not a whole number/],
  ['--nonsense', /--nonsense/],
])('bench %s is refused', (line, message) => {
  expect(() => readCommand(line.split(' '), benches)).toThrow(message);
});
