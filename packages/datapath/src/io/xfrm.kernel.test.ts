import { describeOnKernel, execIn } from '@causeway/netlink/io/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { must } from '../testing/contract/host.ts';
import { namespace } from '../testing/contract/xfrm-policy.ts';
import type { ContractHost } from '../testing/contract.ts';
import { block, demand, encryptedPort, ends } from '../testing/xfrm-fixtures.ts';
import { realHost } from './testing/real-host.ts';

describeOnKernel('policies on the real kernel', () => {
  let host: ContractHost;
  beforeEach(() => {
    host = realHost();
  });
  afterEach(() => host.dispose());

  it('are what iproute2 shows', async () => {
    const netns = await namespace(host);
    const [v4, v6] = [ends[4], ends[6]];
    const policies = [
      ...[block('in'), block('out'), block('in', 6), block('out', 6)],
      demand('out', v4.here, v4.there, { spi: 0x1100_0001 }),
      demand('in', v4.there, v4.here),
      demand('out', v6.here, v6.there, { spi: 0x1200_0001 }),
      demand('in', v6.there, v6.here),
    ];
    await must(host, ...policies.map((policy) => ({ op: 'xfrmPolicy.set', netns, policy }) as const));
    await expect(execIn(netns, 'ip', 'xfrm', 'policy', 'list')).toMatchFileSnapshot('./golden/xfrm-policies.txt');
  });

  it('a block lets no datagram leave to its port, and every other port is free', async () => {
    const netns = await namespace(host);
    // Not "lo": policies do not hold there.
    execIn(netns, 'ip', 'link', 'add', 'e0', 'up', 'type', 'veth', 'peer', 'name', 'e1');
    execIn(netns, 'ip', 'address', 'add', `${ends[4].here}/24`, 'dev', 'e0');
    execIn(netns, 'ip', 'link', 'set', 'e1', 'up');
    const send = (port: number) => () => execIn(netns, 'bash', '-c', `echo > /dev/udp/${ends[4].there}/${port}`);
    expect(send(encryptedPort)).not.toThrow();
    await must(host, { op: 'xfrmPolicy.set', netns, policy: block('out') });
    expect(send(encryptedPort)).toThrow('Operation not permitted');
    expect(send(encryptedPort + 1)).not.toThrow();
  });
});
