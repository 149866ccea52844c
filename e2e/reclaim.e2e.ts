import { Lab } from '@causeway/lab/io';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EndpointJson, NetworkJson, VerifyJson } from './answers.ts';
import { attach, type Container, createNetwork, ips } from './cluster.ts';
import { eventually } from './eventually.ts';
import { expectedPeers, hostEndOf, overlayOf, overlaysOn, peersOn } from './overlay.ts';
import { describeLab } from './requirements.ts';

describeLab('what ends is reclaimed', () => {
  let lab: Lab;
  let blue: NetworkJson;
  let stays: Container;
  let beside: Container;

  beforeAll(async () => {
    lab = await Lab.replace({ name: 'reclaim', hosts: 2, managers: 1, subnet: '10.95.0.0/24' });
    blue = await createNetwork(lab, 'blue', '10.66.0.0/16', 'fd66::/64');
    stays = await attach(lab, 'blue', 'h1', 'stays');
    beside = await attach(lab, 'blue', 'h2', 'beside');
  });
  afterAll(() => lab?.down());

  /** Nothing of the container may be left on any host or at the managers, and its addresses must be given again. */
  async function expectReclaimed(gone: Container): Promise<void> {
    await eventually(async () => {
      expect((await lab.try('h1', 'causeway', 'endpoint', 'show', gone.endpoint.id)).code).toBe(3);
    });
    await eventually(async () => {
      for (const host of lab.hosts) {
        expect(await peersOn(lab, blue, host)).toEqual(expectedPeers(lab, [stays, beside], host));
      }
      const ports = await lab.run(gone.host, 'ip', '-n', overlayOf(blue), '-br', 'link');
      expect(ports).not.toContain(hostEndOf(gone));
    });
    expect((await lab.json<VerifyJson>('h1', 'verify')).drift).toEqual([]);
    await lab.run('h2', 'ip', 'netns', 'add', 'next');
    const where = ['--name', 'next', '--netns', '/run/netns/next', '--ip', ips(gone)[0] ?? ''];
    // This succeeds once every host has reported the release.
    await eventually(async () => {
      expect((await lab.try('h2', 'causeway', 'endpoint', 'attach', 'blue', ...where)).code).toBe(0);
    });
    await lab.run('h2', 'causeway', 'endpoint', 'detach', 'next');
    await lab.run('h2', 'ip', 'netns', 'del', 'next');
  }

  test('detached: the interface leaves the container, which stays', async () => {
    const gone = await attach(lab, 'blue', 'h2', 'detached');
    await lab.run('h2', 'causeway', 'endpoint', 'detach', 'detached');
    expect(await lab.run('h2', 'ip', '-n', 'detached', '-br', 'link')).not.toContain('eth0');
    await expectReclaimed(gone);
  });

  test('a namespace deleted without detach', async () => {
    const gone = await attach(lab, 'blue', 'h2', 'deleted');
    await lab.run('h2', 'ip', 'netns', 'del', 'deleted');
    await expectReclaimed(gone);
  });

  test('the process of a namespace without a name killed', async () => {
    const pid = (await lab.sh('h2', 'unshare --net sleep infinity >/dev/null 2>&1 & echo $!')).trim();
    const where = ['--name', 'process', '--netns', `/proc/${pid}/ns/net`, '--wait', 'applied'];
    const endpoint = await lab.json<EndpointJson>('h2', 'endpoint', 'attach', 'blue', ...where);
    await lab.run('h2', 'kill', '-9', pid);
    await expectReclaimed({ host: 'h2', netns: `/proc/${pid}/ns/net`, endpoint });
  });

  test('a namespace deleted while the agent was down', async () => {
    const gone = await attach(lab, 'blue', 'h2', 'meanwhile');
    await lab.kill('h2', 'agent');
    await lab.run('h2', 'ip', 'netns', 'del', 'meanwhile');
    await lab.startProcess('h2', 'agent');
    await expectReclaimed(gone);
  });

  test('the last endpoint of a host: its overlay goes', async () => {
    await lab.run('h2', 'causeway', 'endpoint', 'detach', 'beside');
    await eventually(async () => expect(await overlaysOn(lab, 'h2')).toEqual([]));
    expect(await peersOn(lab, blue, 'h1')).toEqual({ fdb: [], neighbours: [] });
  });
});
