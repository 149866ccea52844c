import type { AddressHolding, CheckClaimsResponse, SubnetUse } from '@causeway/proto/gen/causeway/v1/ipam_service.js';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { runLine, transcript, type World } from '../testing/run-line.ts';

// The variable is set when the tests run inside a lab.
beforeAll(() => void vi.stubEnv('CAUSEWAY_MANAGERS', undefined));
afterAll(() => void vi.unstubAllEnvs());

const subnets: SubnetUse[] = [
  {
    subnet: '10.66.0.0/24',
    ranges: ['10.66.0.64/26'],
    used: '3',
    reserved: '2',
    cooling: '1',
    free: '248',
    automatic: '58',
    usedByHost: { h2: 1, h1: 2 },
    reservations: [{ address: '10.66.0.9', purpose: 'printer', revision: 40n }],
  },
  {
    subnet: 'fd66::/64',
    ranges: [],
    used: '0',
    reserved: '1',
    cooling: '0',
    free: '18446744073709551614',
    automatic: '18446744073709551614',
    usedByHost: {},
    reservations: [],
  },
];
const reservation = { address: '10.66.0.9', purpose: 'printer', revision: 40n };
const clean: CheckClaimsResponse = { duplicates: [], orphans: [], missing: [] };
const fault = {
  network: 'blue',
  address: '10.66.0.3',
  vni: 0,
  holders: ['endpoint e000000000000001'],
  repaired: false,
};
const found: CheckClaimsResponse = {
  duplicates: [{ ...fault, address: '10.66.0.2', holders: ['endpoint "a" (e1)', 'endpoint "b" (e2)'] }],
  orphans: [fault],
  missing: [{ ...fault, address: '', vni: 4097, holders: ['network "blue" (b1)'] }],
};
const mended: CheckClaimsResponse = { ...clean, orphans: [{ ...fault, repaired: true }] };
const held = { address: '10.66.0.9', network: 'blue', endpoint: '', host: '', purpose: '' };
const holdings: AddressHolding[] = [
  { ...held, endpoint: 'web', host: 'h2', fromMs: 0n, toMs: 1_700_000_000_000n, actor: '', released: 'agent/h2' },
  {
    ...held,
    purpose: 'printer',
    fromMs: 1_700_000_001_000n,
    toMs: 1_700_000_002_000n,
    actor: 'root@h1',
    released: 'root@h1',
  },
  { ...held, endpoint: 'db', host: 'h1', fromMs: 1_700_000_003_000n, toMs: 0n, actor: 'agent/h1', released: '' },
];
const managers = (checked: CheckClaimsResponse): World => ({
  managers: {
    showSubnets: async () => ({ subnets }),
    reserveAddress: async () => ({ reservation }),
    releaseAddress: async () => ({ revision: 41n }),
    checkClaims: async () => checked,
    getAddressHistory: async () => ({ holdings }),
  },
});

const lines: readonly (readonly [string, World])[] = [
  ...['table', 'wide', 'json', 'name'].map((format) => [`ipam show blue -o ${format}`, managers(clean)] as const),
  ...['table', 'json', 'name'].map((format) => [`ipam history 10.66.0.9 -o ${format}`, managers(clean)] as const),
  ['ipam history 10.66.0.9/16', managers(clean)],
  ['ipam reserve blue 10.66.0.9 --for printer', managers(clean)],
  ['ipam reserve blue --for printer -o json', managers(clean)],
  ['ipam reserve blue 10.66.0.9', managers(clean)],
  ['ipam reserve blue 10.66.0 --for printer', managers(clean)],
  ['ipam release blue 10.66.0.9', managers(clean)],
  ['ipam release blue', managers(clean)],
  ['ipam check', managers(clean)],
  ['ipam check -o json', managers(clean)],
  ['ipam check', managers(found)],
  ['ipam check -o json', managers(found)],
  ['ipam check --repair', managers(mended)],
];

test('what a person sees of addresses', async () => {
  const parts: string[] = [];
  for (const [line, world] of lines) parts.push(transcript(line, await runLine(line, world)));
  await expect(parts.join('\n')).toMatchFileSnapshot('../golden/ipam.txt');
});

test('what a manager is asked of addresses', async () => {
  const requestId = expect.stringMatching(/^[0-9a-f-]{36}$/);
  const asked = async (line: string) => (await runLine(line, managers(clean))).calls;
  expect(await asked('ipam reserve blue FD66::9 --for vpn')).toEqual([
    { method: 'managers.reserveAddress', request: { requestId, network: 'blue', address: 'fd66::9', purpose: 'vpn' } },
  ]);
  expect(await asked('ipam release blue 10.66.0.9')).toEqual([
    { method: 'managers.releaseAddress', request: { requestId, network: 'blue', address: '10.66.0.9' } },
  ]);
  expect(await asked('ipam check --repair')).toEqual([{ method: 'managers.checkClaims', request: { repair: true } }]);
});
