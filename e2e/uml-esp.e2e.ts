import { type Stories, tell } from '@causeway/uml';
import { beforeAll, expect, test } from 'vitest';
import { describeLab } from './requirements.ts';

describeLab('SAs and policies on a kernel that has ESP (User-Mode Linux)', () => {
  let result: Stories['esp'];
  beforeAll(async () => {
    result = await tell('esp');
  }, 330_000);

  test('the kernel keeps the contract', () => {
    expect(result.contract.failures).toEqual({});
    expect(result.contract.cases).toBeGreaterThan(8);
  });

  test('without a policy, frames travel in the clear, and the capture sees them', () => {
    expect(result.plain).toEqual({ sent: 3, received: 3, duplicates: 0, esp: 0, vxlan: 6, icmp: 0 });
  });

  test('with blocks alone, and with policies whose SA is missing, no frame leaves', () => {
    expect(result.blocked).toEqual({ sent: 3, received: 0, duplicates: 0, esp: 0, vxlan: 0, icmp: 0 });
    expect(result.withoutSa).toEqual({ sent: 3, received: 0, duplicates: 0, esp: 0, vxlan: 0, icmp: 0 });
  });

  test('iproute2 shows what was programmed', async () => {
    await expect(result.golden).toMatchFileSnapshot('./golden/xfrm.txt');
  });

  test('frames travel in ESP, none in the clear', () => {
    expect(result.protected).toEqual({ sent: 20, received: 20, duplicates: 0, esp: 40, vxlan: 0, icmp: 0 });
  });

  test('a rekey loses no frame', () => {
    expect(result.rekeyed).toMatchObject({ sent: 3000, received: 3000 });
    expect(result.rekeyed.rekeys).toBeGreaterThan(3);
  });

  test('a policy that is deleted by hand leaves the block, and comes back', () => {
    expect(result.policyDeleted).toMatchObject({ received: 0, esp: 0, vxlan: 0, icmp: 0 });
    expect(result.policyBack).toMatchObject({ sent: 5, received: 5 });
  });

  test('netfilter can tell what ESP protects: a flush of all policies, or of all SAs, lets no frame leave in the clear', () => {
    const stopped = { sent: 3, received: 0, duplicates: 0, esp: 0, vxlan: 0, icmp: 0 };
    expect(result.guarded).toEqual({ ...stopped, received: 3, esp: 6 });
    expect(result.policiesFlushed).toEqual([stopped, { ...stopped, esp: 3 }]);
    expect(result.sasFlushed).toEqual(stopped);
  });

  test('frames that arrive twice are dropped once', () => {
    expect(result.replayed).toMatchObject({ sent: 50, received: 50, duplicates: 0 });
    expect(result.replayed.replays).toBeGreaterThanOrEqual(50);
  });

  test('no ICMP error quotes in the clear what came in ESP', () => {
    expect(result.withoutTunnel).toEqual({ sent: 3, received: 0, duplicates: 0, esp: 6, vxlan: 0, icmp: 0 });
  });
}, ['linux.uml', 'modprobe', 'tc', 'tcpdump', 'iptables-legacy']);
