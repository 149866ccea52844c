import { expect, test } from 'vitest';
import { Gate } from './gate.ts';

const at = (last: number): Uint8Array => Uint8Array.of(10, 0, last >> 8, last & 0xff);
const count = (gate: Gate, addr: Uint8Array, times: number, now: number): number =>
  Array.from({ length: times }, () => gate.admits(addr, now)).filter(Boolean).length;

test('one source gets 500 datagrams at once, then 2,000 per second; other sources are not disturbed', () => {
  const gate = new Gate();
  expect([count(gate, at(1), 1000, 0), count(gate, at(1), 1000, 100), count(gate, at(2), 10, 100)]).toEqual([
    500, 200, 10,
  ]);
});

test('all sources together get 5,000 at once, then 20,000 per second', () => {
  const gate = new Gate();
  const flood = (now: number): number =>
    Array.from({ length: 100 }, (_, source) => count(gate, at(source), 100, now)).reduce((sum, each) => sum + each, 0);
  expect([flood(0), flood(100)]).toEqual([5000, 2000]);
});

test('a source is shut out for a second after ten failures in a second', () => {
  const gate = new Gate();
  for (let i = 0; i < 9; i++) gate.failed(at(1), 0);
  expect([gate.admits(at(1), 500), gate.isShut(at(1), 500)]).toEqual([true, false]);
  gate.failed(at(1), 1000);
  expect([gate.admits(at(1), 1999), gate.isShut(at(1), 1999)]).toEqual([false, true]);
  expect([gate.admits(at(1), 2000), gate.isShut(at(1), 2000), gate.isShut(at(2), 1500)]).toEqual([true, false, false]);
});

test('ten failures over more than a second shut no source out', () => {
  const gate = new Gate();
  for (let i = 0; i < 40; i++) gate.failed(at(1), i * 150);
  expect(gate.isShut(at(1), 40 * 150)).toBe(false);
});

test('a flood from made-up sources does not grow without bound, and known sources lose at most their count', () => {
  const gate = new Gate();
  for (let i = 0; i < 20_000; i++) gate.admits(at(i), i);
  expect(gate.admits(at(1), 20_000)).toBe(true);
});
