import { describeOnKernel, execIn, ip } from '@causeway/netlink/io/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { OpResult } from '../kernel.ts';
import type { Vxlan } from '../kinds/link/link.ts';
import type { NetnsPath } from '../state.ts';
import { contractPort, must, vxlan } from '../testing/contract/host.ts';
import type { ContractHost } from '../testing/contract.ts';
import { realHost } from './testing/real-host.ts';

describeOnKernel('a VNI that is in use', () => {
  let host: ContractHost;
  let netns: NetnsPath;
  let tunnel: Vxlan;
  beforeEach(async () => {
    host = realHost();
    netns = host.freshPath();
    tunnel = vxlan(host);
    await must(host, { op: 'netns.add', netns });
  });
  afterEach(() => host.dispose());

  const make = async (): Promise<OpResult | undefined> =>
    (await host.kernel.apply([{ op: 'link.add', netns, link: tunnel }]))[0];

  it('by a link of another program in the host namespace: the refusal names the link', async () => {
    ip(
      'link',
      'add',
      'vx9',
      'type',
      'vxlan',
      'id',
      `${tunnel.vni}`,
      'dstport',
      `${contractPort}`,
      'local',
      host.underlay,
    );
    const result = await make();
    ip('link', 'delete', 'vx9');
    expect(result).toMatchObject({ ok: false, errno: 'EEXIST' });
    expect(result).toHaveProperty('message', expect.stringContaining('link "vx9" in the host\'s namespace'));
  });

  it('by a tunnel that was made in another namespace: the refusal names the link and the namespace', async () => {
    const other = host.freshPath();
    await host.foreign({ op: 'netns.add', netns: other }, { op: 'link.add', netns: other, link: tunnel });
    expect(await make()).toHaveProperty('message', expect.stringContaining(`link "vxlan0" in ${other}`));
  });

  it('by our own tunnel, which was moved to the host namespace: the tunnel is deleted there', async () => {
    await must(host, { op: 'link.add', netns, link: tunnel });
    execIn(netns, 'ip', 'link', 'set', 'vxlan0', 'netns', `${process.pid}`);
    expect(await make()).toEqual({ ok: true });
    expect(() => ip('link', 'show', 'vxlan0')).toThrow();
  });
});
