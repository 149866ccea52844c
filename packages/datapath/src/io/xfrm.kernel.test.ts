import { describeOnKernel, execIn, ip } from '@causeway/netlink/io/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { hostNetns } from '../state.ts';
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

  it('replace what a person has put in their place, and nothing else', async () => {
    const netns = await namespace(host);
    const policy = block('out');
    const xfrm = (...args: string[]): string => execIn(netns, 'ip', 'xfrm', 'policy', ...args);
    const place = ['src', '0.0.0.0/0', 'dst', '0.0.0.0/0', 'proto', 'udp', 'dport', `${encryptedPort}`, 'dir', 'out'];
    const allow = ['priority', '5', 'action', 'allow'];
    const elsewhere = [
      place.with(1, '192.0.2.0/24'),
      place.with(7, `${encryptedPort + 1}`),
      place.with(9, 'in'),
      [...place, 'mark', '7', 'mask', '0xff'],
    ];
    for (const each of elsewhere) xfrm('update', ...each, ...allow);
    const foreign = xfrm('list');
    await must(host, { op: 'xfrmPolicy.set', netns, policy });
    xfrm('update', ...place, ...allow);
    await must(host, { op: 'xfrmPolicy.delete', netns, policy });
    expect(xfrm('get', ...place), 'a delete leaves it').toContain('priority 5');
    await must(host, { op: 'xfrmPolicy.set', netns, policy });
    expect(xfrm('get', ...place)).toContain('action block');
    await must(host, { op: 'xfrmPolicy.delete', netns, policy });
    expect(xfrm('list')).toBe(foreign);
  });

  it('are reported when a person replaces one, and deletes what is in its place', async () => {
    let reports = 0;
    const watch = host.kernel.watch(hostNetns, (_, { more }) => {
      reports += more ? 1 : 0;
    });
    await must(host, { op: 'xfrmPolicy.set', netns: hostNetns, policy: block('fwd') });
    await namespace(host);
    expect(reports, 'own write').toBe(0);
    const place = ['src', '0.0.0.0/0', 'dst', '0.0.0.0/0', 'proto', 'udp', 'dport', `${encryptedPort}`, 'dir', 'fwd'];
    for (const change of [
      ['update', ...place, 'priority', '5', 'action', 'allow'],
      ['delete', ...place],
    ]) {
      reports = 0;
      ip('xfrm', 'policy', ...change);
      await host.until(() => reports > 0);
    }
    watch?.close();
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
