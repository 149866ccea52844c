import { expect, test } from 'vitest';
import { mostManagers, parseIpPort, readManagerAddresses } from './manager-address.ts';

test.each([
  ['10.0.0.1:7443', { text: '10.0.0.1:7443', ip: '10.0.0.1', family: 4, port: 7443, isWildcard: false }],
  ['[2001:DB8::1]:1', { text: '[2001:db8::1]:1', ip: '2001:db8::1', family: 6, port: 1, isWildcard: false }],
  ['0.0.0.0:7443', { text: '0.0.0.0:7443', ip: '0.0.0.0', family: 4, port: 7443, isWildcard: true }],
  ['10.0.0.1', undefined],
  ['10.0.0.1:0', undefined],
  ['10.0.0.1:65536', undefined],
  ['[10.0.0.1]:7443', undefined],
  ['2001:db8::1:7443', undefined],
  ['m1.example:7443', undefined],
  ['', undefined],
])('the address and port in "%s"', (text, expected) => {
  expect(parseIpPort(text)).toEqual(expected);
});

test('of what a manager has sent, only addresses are used, each once', () => {
  const told = ['10.0.0.2:7443', 'unix:7443', '10.0.0.1:7443', '10.0.0.2:7443', '0.0.0.0:7443', 'a\nb:1', '[::]:1'];
  expect(readManagerAddresses(told)).toEqual(['10.0.0.2:7443', '10.0.0.1:7443']);
});

test('and not more than any cluster has', () => {
  const many = Array.from({ length: 1_000 }, (_, i) => `10.0.0.1:${i + 1}`);
  expect(readManagerAddresses(many)).toEqual(many.slice(0, mostManagers));
});
