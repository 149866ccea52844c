import { SeededRandom } from '@causeway/runtime/testing';
import { expect, test } from 'vitest';
import { plainNetwork } from '../testing/plain-network.ts';
import { PlanHarness } from '../testing/plan-harness.ts';
import { scriptNode } from '../testing/view-script.ts';
import { createNetwork } from './create-network.ts';
import { registerNode } from './register-node.ts';

test.each<{ name: string; hosts: readonly { mtu: number; vtep?: string }[]; bytes: number }>([
  { name: 'IPv4 underlay', hosts: [{ mtu: 1500 }], bytes: 1450 },
  { name: 'IPv6 underlay', hosts: [{ mtu: 1500, vtep: '2001:db8::1' }], bytes: 1430 },
  { name: 'the smallest host decides', hosts: [{ mtu: 9000 }, { mtu: 1400 }], bytes: 1350 },
  { name: 'jumbo', hosts: [{ mtu: 9000 }], bytes: 8950 },
  { name: 'never below what IPv6 needs', hosts: [{ mtu: 1300 }], bytes: 1280 },
  { name: 'no host yet', hosts: [], bytes: 1450 },
])('automatic MTU: $name', ({ hosts, bytes }) => {
  const desk = new PlanHarness(new SeededRandom(1));
  for (const [i, { mtu, vtep }] of hosts.entries()) desk.make(registerNode(scriptNode(i + 1, vtep, mtu)));
  expect(desk.make(createNetwork(plainNetwork('blue', ['10.66.0.0/16', 'fd66::/64']))).mtu.bytes).toBe(bytes);
});
