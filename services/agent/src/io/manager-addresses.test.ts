import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryLog } from '@causeway/runtime/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManagerAddresses } from './manager-addresses.ts';

const [m1, m2, m3] = ['10.0.0.1:7443', '10.0.0.2:7443', '10.0.0.3:7443'] as const;
let directory: string;
let log: MemoryLog;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'causeway-addresses-'));
  log = new MemoryLog();
});
afterEach(() => rmSync(directory, { recursive: true }));

const open = (configured: readonly string[] = [m1]): Promise<ManagerAddresses> =>
  ManagerAddresses.open({ log }, { directory, configured });
const note = () => JSON.parse(readFileSync(join(directory, 'membership.json'), 'utf8')) as object;
const write = (text: string): void => writeFileSync(join(directory, 'membership.json'), text, { mode: 0o600 });

test('managers that joined after the host are known, also to the next agent', async () => {
  const first = await open();
  expect(first.all).toEqual([m1]);
  expect(await first.learn([m1, m2, m3])).toBe(true);
  expect(first.all).toEqual([m1, m2, m3]);
  expect(await first.learn([m1, m2, m3])).toBe(false);
  expect((await open()).all).toEqual([m1, m2, m3]);
});

test('a manager that was removed is forgotten, and what the settings name stays', async () => {
  const addresses = await open(['vip.example:7443', m1]);
  await addresses.learn([m1, m2, m3]);
  await addresses.learn([m3]);
  expect(addresses.all).toEqual(['vip.example:7443', m1, m3]);
  expect((await open([])).all).toEqual([m3]);
});

test('what is no list of addresses changes nothing', async () => {
  const addresses = await open();
  await addresses.learn([m1, m2]);
  expect(await addresses.learn([])).toBe(false);
  expect(await addresses.learn(['unix:7443', '0.0.0.0:7443', ''])).toBe(false);
  expect(addresses.all).toEqual([m1, m2]);
});

test('the token with which the host joined stays in the file', async () => {
  write(JSON.stringify({ token: '4m2z9qk0t7xw3c1v', managers: [m1] }));
  await (await open()).learn([m2]);
  expect(note()).toEqual({ token: '4m2z9qk0t7xw3c1v', managers: [m2] });
});

test('a file that is damaged or open to others counts as empty, and the log says why', async () => {
  write('{"managers":7}');
  expect((await open()).all).toEqual([m1]);
  write(JSON.stringify({ managers: [m2] }));
  chmodSync(join(directory, 'membership.json'), 0o644);
  expect((await open()).all).toEqual([m1]);
  expect(log.lines.map(({ event }) => event)).toEqual(['managers.not-read', 'managers.not-read']);
});

test('a file that is damaged is made anew', async () => {
  write('{"managers":7}');
  expect(await (await open()).learn([m2])).toBe(true);
  expect(note()).toEqual({ managers: [m2] });
  expect((await open()).all).toEqual([m1, m2]);
});

test('addresses that cannot be written count all the same', async () => {
  write('{}');
  chmodSync(join(directory, 'membership.json'), 0o644);
  const addresses = await open();
  expect(await addresses.learn([m2])).toBe(true);
  expect(addresses.all).toEqual([m1, m2]);
  expect(log.lines.at(-2)).toMatchObject({ level: 'warn', event: 'managers.not-kept' });
  expect(log.lines.at(-1)).toMatchObject({ event: 'managers.known', fields: { managers: [m1, m2] } });
});
